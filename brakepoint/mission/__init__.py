"""A mission: the closed loop from camera to train, its record and its score."""

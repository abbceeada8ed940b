"""The steps of the workshop, for you to complete."""

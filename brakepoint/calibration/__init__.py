"""Derives the figures of `brakepoint.train_file` from an owner's camera views and test runs."""

"""Measures how fast the kit is: `make bench`."""

"""Substitutes for the hardware in `hardware`: the recorded camera and the printing hub."""

"""Substitutes for hardware: the recorded camera and the printing hub. The real ones are in `hardware`."""

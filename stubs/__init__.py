"""What stands in for hardware, and beside each the real thing with the same interface."""

"""Brakepoint: the fixed parts of the workshop kit.

Importing this package loads neither torch nor Bluetooth nor OpenCV: an edge machine has little of that.
"""

__version__ = "0.1.0"

"""Brakepoint: the fixed parts of the workshop kit.

Importing this package loads neither torch nor Bluetooth nor OpenCV, which edge machines may lack.
"""

from brakepoint.proxies import spare_loopback

__version__ = "0.1.0"
"""`python -m brakepoint` is the command `brakepoint`."""

spare_loopback()

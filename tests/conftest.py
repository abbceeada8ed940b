"""Also lies here so that pytest puts this folder on the path: tests share `driving` and `strategies`."""

from hypothesis import settings

# Machines are shared and runners slow: how long an example takes says nothing about the code.
settings.register_profile("brakepoint", deadline=None)
settings.load_profile("brakepoint")

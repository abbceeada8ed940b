"""The scenery along the line: sign plates, scenarios, and what the camera sees of them.

`footage` renders pictures of the scenery; checks and tests need only this package, not Blender.
"""

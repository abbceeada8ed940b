"""The scenery along the line: sign plates, scenarios, and the camera's view of them.

`footage` renders pictures of the scenery; checks and tests need only this package, not Blender.
"""

"""What stands along the line: sign plates, the scenarios they stand in, and what the camera sees of them.

Pictures of it are rendered in `footage`; checks and tests need only this room, and no Blender.
"""

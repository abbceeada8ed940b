"""The scene in Blender: a toy railway on a dark table in a lived-in room. One unit is one centimetre."""

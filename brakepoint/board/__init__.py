"""The live page of a room: who is at which step, who is stuck, and what was scored."""

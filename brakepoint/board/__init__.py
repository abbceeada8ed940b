"""The live page of a room: each attendee's step, who is stuck, and the scores."""

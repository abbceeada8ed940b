"""A room of attendees: provisioning, what they hand in, its scores, and a rehearsal before the day."""

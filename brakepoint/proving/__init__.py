"""The proving ground: every feed in every weather, and what a detector and an autopilot make of it."""

"""The proving ground: every feed in every weather, driven by a detector and an autopilot."""

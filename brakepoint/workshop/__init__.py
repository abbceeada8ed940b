"""The learning loop: labs that check themselves, with hints, and a record of how far one has come."""

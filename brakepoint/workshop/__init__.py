"""The learning loop: labs that check themselves, with hints and a record of progress."""

"""How long a test waits for what must happen, in s: the machine may be busy with others."""

PATIENCE_S = 60.0

"""The gate: the only code with network connections, to declared destinations (WALL 3)."""

"""The process that keeps what was acknowledged. Standard library only; it parses no visitor's data (WALL 4)."""

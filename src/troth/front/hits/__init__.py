"""Where the hits of visitors come in."""

"""`troth.toml`: its sections, its rules, and how it is read."""

"""Statistics from before: server logs and other programs' exports."""

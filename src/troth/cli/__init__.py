"""The command line: `troth COMMAND --site DIR`."""

"""The command line: `troth COMMAND --site DIR`."""

from troth.cli.app import main

__all__ = ["main"]

"""The front's lines to other processes on this machine."""

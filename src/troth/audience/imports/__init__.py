"""Imports existing statistics from server logs and other programs' exports."""

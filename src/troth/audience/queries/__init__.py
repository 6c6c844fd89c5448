"""Queries the stored sums."""

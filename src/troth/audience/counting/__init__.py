"""Turns hits into sums, in the front: without database and vault."""

"""Adds, rolls up and reads the sums, in the worker."""

"""Visitor statistics: a broad picture, in sums, and never a person (V1, V2)."""

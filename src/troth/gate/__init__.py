"""The one gate: what leaves the house leaves here, by a declared door (WALL 3)."""

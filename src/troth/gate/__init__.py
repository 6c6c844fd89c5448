"""The gate: everything that leaves the site passes here, to a declared door (WALL 3)."""

"""Statistics that others may see: the public page and the mailed report."""

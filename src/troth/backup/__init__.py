"""Backup and restore: what a site is, in two halves apart, and how it comes back without undoing anything."""

"""Backup and restore of a site, in two separate files, without undoing deletions."""

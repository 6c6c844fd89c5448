"""Backup, restore, upgrade and retention."""

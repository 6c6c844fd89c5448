"""Publishes statistics: the public page and the emailed report."""

"""Licence keys: signed texts that a vendor's program checks without asking anybody (docs/licence-format.md)."""

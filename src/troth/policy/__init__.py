"""Promises to people, and their rights: what every room holds of a person, seen, corrected, exported, erased."""

"""The forms that visitors fill in."""

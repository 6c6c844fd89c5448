"""The pages of the front, one file for each kind."""

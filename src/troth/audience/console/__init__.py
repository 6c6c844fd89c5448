"""The console's pages of visitor statistics."""

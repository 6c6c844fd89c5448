"""Questions to the stored sums, and their answers."""

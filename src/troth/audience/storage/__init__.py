"""What the worker does with the sums: adds them, rolls them up, reads them."""

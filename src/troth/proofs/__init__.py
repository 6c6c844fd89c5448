"""The proofs of each promise, and the code that runs them."""

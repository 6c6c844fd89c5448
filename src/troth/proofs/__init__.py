"""The proofs of each promise, and how they are run."""

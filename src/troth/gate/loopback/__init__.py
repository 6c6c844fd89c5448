"""The proofs' two connections to this machine: to the front, and to their own mail relay."""

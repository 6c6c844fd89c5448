"""The two connections to this machine that proofs make: to the front, and to a relay of their own."""

"""Mutants: deliberate breaches of the policy's promises, each of which must turn a proof red.

They never touch the running program: each is applied to a copy of it, in a folder of its own.
"""

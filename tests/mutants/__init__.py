"""Mutants: deliberate breaches of what the policy promises, each of which must turn a proof red.

They never touch the program that serves: each is applied to a copy of it, in a folder of its own.
"""

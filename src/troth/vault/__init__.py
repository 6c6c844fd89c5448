"""Where people live: sealed at the front, filed under a key of their own, opened for a purpose, in the ledger (C2, C3).

`seal` is for anyone and needs a public key only. Everything else here is for the worker and the office.
"""

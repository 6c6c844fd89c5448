"""The vault, where people's data lives: encrypted at the front, filed under each person's key, opened for a purpose,
logged in the ledger (C2, C3).

`envelope` needs only a public key and is for anyone. Everything else is for the worker and the office.
"""

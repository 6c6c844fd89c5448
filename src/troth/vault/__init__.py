"""The vault: encrypts people's data under a key for each person, and decrypts it for a purpose, with a log row (C2,
C3).

Every process may import `envelope`, which needs only a public key; all else is for worker and office.
"""

"""Finds people by what an operator enters, with the blind index: nothing is decrypted."""

import re
import uuid

from troth.core.personal import EmailAddress, PersonName, Telephone
from troth.vault.blind_index import EMAIL, NAME, TELEPHONE
from troth.vault.keeper import keeper

_NUMBER = re.compile(r"[+(]?[0-9][0-9 ()./-]{3,}")


def find(actor: uuid.UUID | str, typed: str) -> list[uuid.UUID]:
    """Find people, newest first, by a complete email address, `@` and a domain, a phone number, a full name or one word
    of it. Logged, whether or not anybody is found.
    """
    vault, words = keeper(), typed.strip()
    if words.startswith("@"):
        return vault.find_by_digest(actor, vault.index.domain_digest(words))
    if "@" in words:
        return vault.find_all(actor, EMAIL, EmailAddress(words))
    if _NUMBER.fullmatch(words):
        return vault.find_all(actor, TELEPHONE, Telephone(words))
    word = vault.index.word_digest(PersonName(words))
    if word is not None:
        return vault.find_by_digest(actor, word)
    return vault.find_all(actor, NAME, PersonName(words))

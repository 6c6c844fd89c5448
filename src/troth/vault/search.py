"""Finding people by what an operator knows of them: by the blind index, so nobody is opened and nothing is scanned."""

import re
import uuid

from troth.core.personal import EmailAddress, PersonName, Telephone
from troth.vault.blind_index import EMAIL, NAME, TELEPHONE
from troth.vault.keeper import keeper

_NUMBER = re.compile(r"[+(]?[0-9][0-9 ()./-]{3,}")


def find(actor: uuid.UUID | str, typed: str) -> list[uuid.UUID]:
    """The people whom these words lead to, the newest first: a whole e-mail address, `@` and a domain, a telephone
    number, a whole name, or one word of a name. Written in the ledger whether or not there is one.
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

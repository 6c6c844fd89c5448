"""Every form in which a detail might lie about: plain, encoded, hashed. For proofs, which look for details of people
who do not exist. Touches nothing.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from troth.ground.personal import EmailAddress, Personal, Telephone
from troth.vault.index import normalise_email, normalise_telephone

LEAST = 6
"""Bytes of a form at least: shorter ones turn up by chance."""


def texts_of(values: Sequence[Personal]) -> list[str]:
    """The details as they were typed and as they are compared."""
    found = []
    for value in values:
        found += [value.reveal(), *value.reveal().split("\n")]
        if isinstance(value, EmailAddress):
            found += [normalise_email(value), value.reveal().partition("@")[0]]
        if isinstance(value, Telephone):
            found += [normalise_telephone(value), value.reveal().replace(" ", "")]
    return list(dict.fromkeys(text for text in found if len(text) >= LEAST))


def forms(texts: Iterable[str]) -> list[bytes]:
    """The texts in every form that is looked for, in lower case where case does not tell."""
    found: dict[bytes, None] = {}
    for text in texts:
        for form in _forms(text):
            if len(form) >= LEAST:
                found[form] = None
    return list(found)


def _forms(text: str) -> Iterable[bytes]:
    for spelled in dict.fromkeys((text, text.lower(), text.upper())):
        plain = spelled.encode()
        yield from (plain, spelled.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode())
        yield from (quote(spelled).encode(), quote(spelled, "").encode(), spelled.replace(" ", "+").encode())
        for shift in range(3):  # base64 at each alignment, less what its neighbours decide
            coded = base64.b64encode(bytes(shift) + plain)[4 * (shift > 0) : -4]
            yield from (coded, coded.translate(bytes.maketrans(b"+/", b"-_")))
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, plain, usedforsecurity=False).digest()
            yield from (digest, digest.hex().encode(), base64.b64encode(digest)[:-3])

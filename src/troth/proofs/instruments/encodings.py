"""The forms in which a detail might be stored: plain, encoded, hashed. Used by proofs, for canaries. Touches
nothing."""

import base64
import contextlib
import hashlib
import json
import quopri
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from troth.core.personal import EmailAddress, Personal, Telephone
from troth.vault.blind_index import normalise_email, normalise_telephone

LEAST = 8
"""Shortest form to search for: six bytes occur by chance once in fifty searches of two gigabytes."""


def texts_of(values: Sequence[Personal]) -> list[str]:
    """Return the details as typed and as normalised."""
    texts = []
    for value in values:
        texts += [value.reveal(), *value.reveal().split("\n")]
        if isinstance(value, EmailAddress):
            texts += [normalise_email(value), value.reveal().partition("@")[0]]
        if isinstance(value, Telephone):
            texts += [normalise_telephone(value), value.reveal().replace(" ", "")]
    return list(dict.fromkeys(text for text in texts if len(text) >= LEAST))


def forms(texts: Iterable[str]) -> list[bytes]:
    """Return the texts in every form to search for, in lower case where case does not matter."""
    unique: dict[bytes, None] = {}
    for text in texts:
        for form in _forms(text):
            if len(form) >= LEAST:
                unique[form] = None
    return list(unique)


def _forms(text: str) -> Iterable[bytes]:
    for spelled in dict.fromkeys((text, text.lower(), text.upper())):
        plain = spelled.encode()
        yield from (plain, spelled.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode())
        yield from (quote(spelled).encode(), quote(spelled, "").encode(), spelled.replace(" ", "+").encode())
        yield from _beyond_ascii(spelled)
        yield from _in_base64(plain)
        for name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(name, plain, usedforsecurity=False).digest()
            yield from (digest, digest.hex().encode(), digest.hex().upper().encode())
            coded = base64.b64encode(digest).rstrip(b"=")
            yield from (coded, coded.translate(_URL_SAFE))


def _beyond_ascii(text: str) -> Iterable[bytes]:
    """Yield the text as JSON, HTML and mail encode non-ASCII characters, and in Latin-1."""
    yield from (json.dumps(text)[1:-1].encode(), text.encode("ascii", "xmlcharrefreplace"), escape(text).encode())
    yield quopri.encodestring(text.encode()).rstrip(b"=\n")
    with contextlib.suppress(UnicodeEncodeError):
        yield text.encode("latin-1")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _in_base64(plain: bytes) -> Iterable[bytes]:
    """Yield base64 at each of its three alignments, cut to the letters that the text alone determines."""
    for shift in range(3):
        first, last = -(-8 * shift // 6), 8 * (shift + len(plain)) // 6
        coded = base64.b64encode(bytes(shift) + plain)[first:last]
        yield from (coded, coded.translate(_URL_SAFE))

"""The sentences by which people are asked to agree, by hash: a consent has only the hash, and an operator may change
`consent` under [newsletter] later. A sentence is about nobody. May touch: the database."""

from troth.newsletter.entry import wording_digest
from troth.newsletter.models import Sentence


def keep(text: str) -> None:
    """Keep this sentence, before anybody is shown it."""
    digest = wording_digest(text)
    if not Sentence.objects.filter(digest=digest).exists():
        Sentence.objects.get_or_create(digest=digest, defaults={"text": text})


def others(text: str) -> list[bytes]:
    """Return the hashes of all kept sentences but this one."""
    return [
        bytes(digest)
        for digest in Sentence.objects.exclude(digest=wording_digest(text)).values_list("digest", flat=True)
    ]


def of(digest: bytes) -> str | None:
    """Return the sentence with this hash; None for one that never stood beside our form, as in an imported list."""
    return Sentence.objects.filter(digest=digest).values_list("text", flat=True).first()


_known: set[bytes] = set()
"""Hashes that were found before: there are as many as sentences were ever published, and they stay."""


def knows(digest: bytes) -> bool:
    """Whether a sentence with this hash ever stood beside our form."""
    if digest not in _known and Sentence.objects.filter(digest=digest).exists():
        _known.add(digest)
    return digest in _known

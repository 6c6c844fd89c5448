"""The sentences by which people are asked to agree, by hash: a consent has only the hash, and an operator may change
`consent` under [newsletter] later. A sentence is about nobody. May touch: the database."""

from collections.abc import Iterable

from troth.newsletter.entry import wording_digest
from troth.newsletter.models import Sentence


def keep(text: str, language: str = "") -> None:
    """Keep this sentence and its language, before anybody is shown it. A language that is not known any more stays."""
    digest, kept = wording_digest(text), Sentence.objects.all()
    if not kept.filter(digest=digest).exists():
        kept.get_or_create(digest=digest, defaults={"text": text, "language": language})
    elif language:
        kept.filter(digest=digest).exclude(language=language).update(language=language)


def languages(digests: Iterable[bytes]) -> dict[bytes, str]:
    """Return the languages of the sentences with these hashes; those of which none is known are left out."""
    rows = Sentence.objects.filter(digest__in=set(digests)).exclude(language="")
    return {bytes(digest): language for digest, language in rows.values_list("digest", "language")}


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

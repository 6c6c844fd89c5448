"""Tokens of the API: made and ended by an owner, shown once, known afterwards by their SHA-256 only.

A token has 256 random bits, so no salt and no slow hash is needed: there is nothing to guess. It begins with `troth_`,
so that whoever searches a repository for secrets finds it. May touch: this room's `ApiToken`.
"""

import hashlib
import re
import secrets
from contextlib import suppress

from django.db import DatabaseError, IntegrityError, transaction

from troth.audience.models import ApiToken
from troth.core import clock
from troth.core.errors import TrothError

MOST = 100
LONGEST_NAME = 60
_PREFIX = "troth_"
_SHAPE = re.compile(r"troth_[A-Za-z0-9_-]{43}")


class TokenError(TrothError):
    """A token cannot be made or ended."""


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def add(name: str) -> str:
    """Make a token; returns it, for the only time. Raises `TokenError`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenError(f"A token needs a name of 1 to {LONGEST_NAME} characters.", mend="Say what it is for.")
    if ApiToken.objects.count() >= MOST:
        raise TokenError(f"There are {MOST} tokens.", mend="End those that nobody uses.")
    token = _PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ApiToken.objects.create(name=name, digest=digest_of(token))
    except IntegrityError:
        raise TokenError("A token has that name already.", mend="Choose another, or end that one first.") from None
    return token


def list_all() -> list[ApiToken]:
    """All tokens that work, the oldest first."""
    return list(ApiToken.objects.order_by("made_at", "id"))


def end(name: str) -> None:
    """End a token: from now on it opens nothing. Raises `TokenError`."""
    gone, _ = ApiToken.objects.filter(name=name).delete()
    if not gone:
        raise TokenError("No token has that name.", mend="`troth audience token list` shows them all.")


def known(token: str) -> bytes | None:
    """The digest of a token that works, with the day of its use noted; None for any other text.

    Where the day cannot be written down just now the token works nevertheless.
    """
    if not _SHAPE.fullmatch(token):
        return None
    digest = digest_of(token)
    found = ApiToken.objects.filter(digest=digest).first()
    if found is None:
        return None
    today = clock.now().date()
    if found.used_on != today:
        with suppress(DatabaseError), transaction.atomic():
            ApiToken.objects.filter(digest=digest).update(used_on=today)
    return digest

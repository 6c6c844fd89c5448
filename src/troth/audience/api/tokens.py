"""Creates, checks and revokes API tokens. A token is shown once; only its SHA-256 is stored: its 256 random bits need
neither salt nor a slow hash. It begins with `troth_`, so that secret scanners find it. May touch: this room's
`ApiToken`."""

import hashlib
import re
import secrets
from contextlib import suppress
from enum import StrEnum

from django.db import DatabaseError, IntegrityError, transaction

from troth.audience.models import ApiToken
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.text.card_numbers import mask

MOST = 100
LONGEST_NAME = 60
_PREFIX = "troth_"
_SHAPE = re.compile(r"troth_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a token gives access to: one thing, and nothing else."""

    STATISTICS = "statistics"
    MAIL = "mail"

    @property
    def label(self) -> str:
        """Return what the console calls it."""
        return ApiToken(scope=self.value).scope_label


class TokenError(TrothError):
    """A token cannot be created or revoked."""


def digest_of(token: str) -> bytes:
    """Return the hash that is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def add(name: str, scope: Scope = Scope.STATISTICS) -> str:
    """Create a token for one scope and return it, for the only time. Raises `TokenError`."""
    name = mask(" ".join(name.split()))  # B2
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenError(
            f"A token needs a name of 1 to {LONGEST_NAME} characters.", mend="Name the program that uses it."
        )
    if ApiToken.objects.count() >= MOST:
        raise TokenError(f"There are {MOST} tokens already, the maximum.", mend="Revoke those that are no longer used.")
    token = _PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ApiToken.objects.create(name=name, digest=digest_of(token), scope=scope.value)
    except IntegrityError:
        raise TokenError(
            "A token with that name exists already.", mend="Choose another name, or revoke that token first."
        ) from None
    return token


def list_all() -> list[ApiToken]:
    """Return all valid tokens, oldest first."""
    return list(ApiToken.objects.order_by("made_at", "id"))


def end(name: str) -> None:
    """Revoke a token, at once. Raises `TokenError`."""
    deleted, _ = ApiToken.objects.filter(name=name).delete()
    if not deleted:
        raise TokenError("No token has that name.", mend="`troth audience token list` shows them all.")


def known(token: str) -> ApiToken | None:
    """Return what is stored of a valid token, and note the day of its use where that can be written; None for any other
    text. What it may do, its scope says."""
    if not _SHAPE.fullmatch(token):
        return None
    digest = digest_of(token)
    row = ApiToken.objects.filter(digest=digest).first()
    if row is None:
        return None
    today = clock.now().date()
    if row.used_on != today:
        with suppress(DatabaseError), transaction.atomic():
            ApiToken.objects.filter(digest=digest).update(used_on=today)
    return row

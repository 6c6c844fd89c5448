"""Publish the list of revoked licences for everybody to read. The worker calls this, the front serves the file at
`/licences/revoked.json`. May touch: that file."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from troth.core.disk import set_mode, sync_folder, write_synced
from troth.shop.licences.revocation_path import path
from troth.shop.licences.signing import SigningKey, sign_revocations
from troth.shop.licences.verifier import LicenceRefused, Revocations, Verifier

_RENEWED = timedelta(days=7)
"""A list without changes is dated anew after this, so that programs see that it is kept up."""


def read(public: Path, keys: Sequence[SigningKey]) -> Revocations | None:
    """Return the list that is published; None if there is none, or none that these keys signed."""
    try:
        return Verifier([key.text for key in keys], product=None).revocations(path(public).read_text("utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, LicenceRefused):
        return None


def update(public: Path, licences: Collection[str], keys: Sequence[SigningKey], now: datetime) -> int | None:
    """Publish the list of these licences' ids, where the published one says something else, is older than a week, or
    lacks the signature of one of `keys`. Returns the new list's number, or None.

    `licences`: all that were ever revoked. The number is the time, in seconds since 1970, and always larger than that
    of the list before: it rises also where the file, or the whole folder, was lost. Raises `OSError`.
    """
    each = [read(public, [key]) for key in keys]
    before = next((published for published in each if published), None)
    if before and None not in each and before.licences == set(licences) and now.date() - before.issued < _RENEWED:
        return None
    number = max(int(now.timestamp()), before.number + 1 if before else 0)
    target = path(public)
    target.parent.mkdir(exist_ok=True)
    set_mode(target.parent, 0o755)  # the fronts are another user, and everybody may read it
    fresh = target.with_suffix(".new")
    write_synced(fresh, sign_revocations(number, now.date(), licences, keys).encode(), mode=0o644)
    fresh.rename(target)
    sync_folder(target.parent)
    return number

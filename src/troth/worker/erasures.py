"""Erasures, finished before anything else is filed: whoever comes in behind one is somebody new. One that cannot be
done is tried again each minute and holds up nobody else. May touch: what `rights.erasure` touches, and
`data/aside/`."""

import sqlite3
import time
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from troth.core.frames import Frame
from troth.core.personal import EmailAddress
from troth.rights import erasure as erasing
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem
from troth.worker import log

type Open = Callable[[Frame, bytes], object]
"""Opens what was set aside: the entry, or None where it does not open."""
_WAIT_SECONDS = 60.0


class Erasing:
    """Finishes what was asked. All calls on one thread."""

    def __init__(self, entry_in: Open) -> None:
        self._entry_in = entry_in
        self._not_before: dict[UUID, float] = {}

    def finish(self) -> int:
        """Do every erasure that waits; returns how many were done. Raises where the database is away."""
        count = 0
        for erasure in erasing.waiting():
            if time.monotonic() < self._not_before.get(erasure.id, 0.0):
                continue
            try:
                erasing.perform(erasure, self._sweep)
                count += 1
            except (OperationalError, InterfaceError, sqlite3.OperationalError):
                raise
            except Exception as error:  # a file that may not be opened, too: whoever comes in does not wait for it
                self._not_before[erasure.id] = time.monotonic() + _WAIT_SECONDS
                log.logger().error("an erasure failed; trying again in a minute", **log.error_fields(error))
        return count

    def _sweep(self, digest: bytes) -> int:
        """Remove failed items that were typed under this address. One that does not open stays sealed until its epoch's
        key goes."""
        removed = 0
        for row in AsideItem.objects.filter(kept=True, filed_at=None):
            path = settings.TROTH_SITE.aside_file(row.segment, row.offset)
            try:
                entry = self._entry_in(Frame(row.offset, row.offset + row.size, row.kind, b""), path.read_bytes())
            except FileNotFoundError:
                continue
            address = getattr(entry, "email", None)
            if isinstance(address, EmailAddress) and keeper().email_digest(address) == digest:
                path.unlink(missing_ok=True)
                row.delete()
                removed += 1
        return removed

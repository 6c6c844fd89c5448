"""Process acknowledged submissions from the spool, each exactly once (WALL 4).

A batch is one transaction: what it causes and the position behind it. A worker that dies before the commit reads the
same frames again; one that has a rival finds the position moved, and stops. What cannot be filed is set aside with its
sealed bytes and blocks nothing. What opens is checked again as the forms check it: a front may be captured (WALL 1).
"""

import errno
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from troth.core import clock
from troth.core.entry import Came, Entry, EntryRefused, came
from troth.core.epochs import epoch_of
from troth.core.errors import TrothError
from troth.core.frames import Damage, Frame
from troth.core.intake_counts import Count
from troth.core.rooms import rooms
from troth.core.site import Site
from troth.core.site_files.moved_files import InPlace
from troth.rights import requests as rights
from troth.vault.envelope import EnvelopeHeader, OpeningKey, Unopenable, read_head
from troth.vault.errors import KeyStoreError
from troth.vault.keeper import keeper, read_site_id
from troth.vault.key_store import KeyStore, path_in
from troth.vault.models import AsideItem, Position, SeenEntry, WorkerState
from troth.vault.validate import judge, judge_time
from troth.vault.wal_truncate import log_of
from troth.worker import log
from troth.worker.erasures import Erasing
from troth.worker.failed_items import Aside, TooMuchWaits, keep, note, with_room
from troth.worker.spool_reader import Batch, SpoolPosition, next_batch

BATCH = 256
_BATCH_SECONDS = 0.05
_Reason = AsideItem.Reason
_STOPS = (OperationalError, InterfaceError, TooMuchWaits, sqlite3.Error)
"""What ails all that comes, not one entry."""
_ONE_FILES = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""What ails one file, such as one that somebody else left there: not the disk, nor this process."""
_FILERS = {entry: file for room in rooms() for entry, file in room.files.items()}
_CHECKS = {entry: check for room in rooms() for entry, check in room.checks.items()}
_ENTRIES = {kind.schema: kind for kind in _FILERS}


class AnotherWorker(TrothError):
    """The position was moved by somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "Another worker is already running for this site.",
            mend="Run `troth serve` only once per site; stop the other one.",
        )


class NotNow(TrothError):
    """The database, the key store or the disk cannot be used at the moment. Nothing was changed; try again."""

    retry = True

    def __init__(self, cause: BaseException) -> None:
        super().__init__("Submissions can't be processed at the moment.")
        self.cause = cause


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """One opened envelope, and where it stood."""

    came: Came[Any]
    epoch: int
    frame: Frame


@dataclass(slots=True)
class TurnResult:
    """What one turn did. `moved`: there may be more; `finished`: the last segment that is read out."""

    moved: bool
    finished: int | None = None
    counts: Counter[Count] = field(default_factory=Counter)


class FileMoved(TrothError):
    """A file that the worker writes was removed or replaced while it was open: what was written since is nowhere."""

    retry = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was removed or replaced while Troth was running.",
            mend="Put it back: submissions wait in spool/ until then, and none is lost. Or restore a backup "
            "(docs/backup.md), with `troth serve` stopped.",
        )


class Keys:
    """The opening keys of the site, read from `keys/seal/` when they are first needed."""

    def __init__(self) -> None:
        self._site = settings.TROTH_SITE
        self._id = read_site_id(self._site)
        self._known: dict[int, OpeningKey] = {}
        self._proved: set[int] = set()

    def get(self, epoch: int) -> OpeningKey | None:
        """Return the key of `epoch`, or None if it is missing."""
        if epoch not in self._known:
            try:
                private = (self._site.seal_keys / f"{epoch}.key").read_bytes()
                self._known[epoch] = OpeningKey(self._id, epoch, private)
            except (FileNotFoundError, ValueError):
                return None
        return self._known[epoch]

    def has_opened(self, epoch: int) -> None:
        """Note that the key of `epoch` is the right one: something opened with it."""
        self._proved.add(epoch)

    def is_right(self, epoch: int) -> bool:
        """Whether something has opened with the key of `epoch` since it was read."""
        return epoch in self._proved

    def forget(self, epoch: int) -> None:
        """Drop a key that was retired."""
        self._known.pop(epoch, None)
        self._proved.discard(epoch)


class Intake:
    """Takes in one batch at each `turn`. All calls on one thread."""

    def __init__(self) -> None:
        self.site, self.keys = settings.TROTH_SITE, Keys()
        self._erasing = Erasing(self._entry_in)
        self._in_place = InPlace(_written(self.site))
        self.waits = False
        """Whether the last turn could not be done: what comes in waits."""

    def turn(self) -> TurnResult:
        """Erase whom we were asked to erase, then file the next batch. Raises `NotNow` where it has to wait,
        `AnotherWorker` where there is a rival, `FileMoved`."""
        self.waits = True
        try:
            erased = self.finish_erasures()
            start = position()
            batch = next_batch(self.site.spool, start, BATCH)
            result = TurnResult(moved=False) if batch.start == batch.end else self._take(batch)
            self._check_files()
            result.counts[Count.ERASED] += erased
        except (OperationalError, InterfaceError, TooMuchWaits, OSError, sqlite3.OperationalError) as error:
            raise NotNow(error) from None  # the driver's message may quote a value
        self.waits = False
        return result

    def _check_files(self) -> None:
        """Before the clerk hears that a segment is filed. Raises `FileMoved`."""
        moved = self._in_place.moved()
        if moved is not None:
            raise FileMoved(moved)

    def finish_erasures(self) -> int:
        """Erase whom we were asked to erase; returns how many."""
        return self._erasing.finish()

    def _entry_in(self, frame: Frame, body: bytes) -> Entry | None:
        outcome = self._open_item(replace(frame, body=body), body)
        return outcome.came.entry if isinstance(outcome, Opened) else None

    def _take(self, batch: Batch) -> TurnResult:
        opened, aside, end = self._open(batch)
        try:
            counts = self._commit(batch.start, end, opened, aside)
        except AnotherWorker:
            raise
        except Exception as error:  # one of them is poisoned: which, and by what, shows when each is filed by itself
            if _ails_all(error):
                raise
            counts = self._one_by_one(batch, end, opened, aside)
        finished = batch.start.segment if end.segment > batch.start.segment else None
        return TurnResult(True, finished, counts)

    # -- opening --------------------------------------------------------------------------------------------------

    def _open(self, batch: Batch) -> tuple[list[Opened], list[Aside], SpoolPosition]:
        """Open as many envelopes as fit the time; returns how far it came."""
        opened, aside, until = list[Opened](), list[Aside](), time.monotonic() + _BATCH_SECONDS
        for item in batch.items:
            outcome = self._open_item(item, batch.raw(item))
            if isinstance(outcome, Opened):
                opened.append(outcome)
            else:
                aside.append(outcome)
            last_for_now = time.monotonic() > until or (
                isinstance(outcome, Opened) and rights.erases(outcome.came.entry)
            )
            if last_for_now and item is not batch.items[-1]:
                return opened, aside, SpoolPosition(batch.start.segment, item.end)
        return opened, aside, batch.end

    def look(self, frame: Frame) -> Opened | None:
        """Return what is in a frame, without filing it; None where it does not open."""
        outcome = self._open_item(frame, frame.body)
        return outcome if isinstance(outcome, Opened) else None

    def _open_item(self, item: Frame | Damage, raw: bytes) -> Opened | Aside:
        if isinstance(item, Damage):
            return Aside(item, _Reason.DAMAGED, raw)
        try:
            head = read_head(item.body)
        except Unopenable:
            return Aside(item, _Reason.UNOPENABLE, item.body, junk=True)
        return self._open_envelope(item, head)

    def _open_envelope(self, item: Frame, head: EnvelopeHeader) -> Opened | Aside:
        kind, key = _ENTRIES.get(head.schema), self.keys.get(head.epoch)
        if kind is None:  # of a newer version, perhaps, before it was taken back
            return Aside(item, _Reason.UNOPENABLE, item.body)
        if key is None and head.epoch <= epoch_of(clock.now()) + 1:
            return Aside(item, _Reason.NO_KEY, item.body, head.epoch)
        if key is None or kind.kind != item.kind:  # there never was such a key; no front puts it among others
            return Aside(item, _Reason.UNOPENABLE, item.body, junk=True)
        try:
            envelope = Opened(came(head.entry_id, key.open(item.body, kind)), head.epoch, item)
        except (Unopenable, ValueError):
            return Aside(item, _Reason.UNOPENABLE, item.body, junk=self.keys.is_right(head.epoch))
        self.keys.has_opened(head.epoch)
        return _judged(envelope)

    # -- filing ---------------------------------------------------------------------------------------------------

    def _commit(
        self, start: SpoolPosition, end: SpoolPosition, opened: Sequence[Opened], aside: Sequence[Aside]
    ) -> Counter[Count]:
        keeping = with_room(aside)
        keep(self.site, start.segment, keeping)
        with _filing():
            counts = file_entries(opened)
            note(start.segment, keeping)
            _move(start, end)
        counts[Count.ASIDE] += len(keeping)
        counts[Count.JUNK] += len(aside) - len(keeping)
        return counts

    def _one_by_one(self, batch: Batch, end: SpoolPosition, opened: list[Opened], aside: list[Aside]) -> Counter[Count]:
        """Something in the batch cannot be filed: file each by itself, and set the poisoned one aside."""
        counts, at = Counter[Count](), batch.start
        everything: list[Opened | Aside] = [*opened, *aside]
        for item in sorted(everything, key=lambda each: _item(each).offset):
            last = _item(item).end
            behind = end if item is _last(opened, aside) else SpoolPosition(batch.start.segment, last)
            alone: tuple[list[Opened], list[Aside]] = ([item], []) if isinstance(item, Opened) else ([], [item])
            try:
                counts += self._commit(at, behind, *alone)
            except AnotherWorker:
                raise
            except Exception as error:
                if not isinstance(item, Opened) or _ails_all(error):
                    raise
                log.logger().error("could not process a submission; kept as a failed item", **log.error_fields(error))
                counts += self._commit(at, behind, [], [_refused(item, error)])
            at = behind
        return counts

    def retry_aside(self, limit: int = 500) -> Counter[Count]:
        """Try again to file failed items that were kept: a key may be back, a fault mended. Of more than `limit` it
        tries some, drawn by lot, so that what never opens does not keep the rest waiting for ever."""
        counts = Counter[Count]()
        rows = AsideItem.objects.filter(kept=True, filed_at=None).exclude(reason=_Reason.DAMAGED)
        for row in sorted(rows.order_by("?")[:limit], key=lambda row: (row.segment, row.offset)):
            path = self.site.aside_file(row.segment, row.offset)
            try:
                body = path.read_bytes()
            except FileNotFoundError:
                continue
            outcome = self._open_item(Frame(row.offset, row.offset + row.size, row.kind, body), body)
            if isinstance(outcome, Opened) and _filed_alone(outcome, row):
                path.unlink()
                counts[Count.FILED] += 1
            elif isinstance(outcome, Aside) and outcome.reason != row.reason:
                # Its key is here and does not open it: it waits for no key, and none is kept for it (`retire_keys`).
                AsideItem.objects.filter(id=row.id).update(reason=outcome.reason, epoch=outcome.epoch)
        return counts


def _judged(envelope: Opened) -> Opened | Aside:
    entry = envelope.came.entry
    try:
        judge_time(envelope.came.entry_id, envelope.epoch)
        judge(entry)
        if check := _CHECKS.get(type(entry)):
            check(entry)
    except EntryRefused as refused:
        return _refused(envelope, refused)
    return envelope


def _refused(envelope: Opened, error: Exception) -> Aside:
    """What no honest front seals waits for no key, and only some of it is kept: it could fill the disk."""
    if isinstance(error, EntryRefused):
        return Aside(envelope.frame, _Reason.REFUSED, envelope.frame.body, junk=True)
    return Aside(envelope.frame, _Reason.REFUSED, envelope.frame.body, envelope.epoch)


def _filed_alone(envelope: Opened, row: AsideItem) -> bool:
    try:
        with _filing():
            file_entries([envelope])
            AsideItem.objects.filter(id=row.id).update(filed_at=clock.now(), kept=False)
    except Exception as error:
        if _ails_all(error):
            raise
        return False  # still poisoned
    return True


def _ails_all(error: Exception) -> bool:
    """Whether nothing could be filed just now, whatever it is. One entry that cannot be never stands before the rest:
    a key store that is there may have one person's slot damaged, a disk that is well one file of somebody else's."""
    if isinstance(error, KeyStoreError):
        return not _key_store_is_there()
    if isinstance(error, OSError):
        return error.errno not in _ONE_FILES
    return isinstance(error, _STOPS)


def _key_store_is_there() -> bool:
    try:
        KeyStore.open(settings.TROTH_SITE.people_keys).close()
        keeper().check()
    except (KeyStoreError, OSError):
        return False
    return True


@contextmanager
def _filing() -> Iterator[None]:
    """One transaction; where it does not happen, nobody remembers it."""
    try:
        with transaction.atomic():
            yield
    except BaseException:
        for room in rooms():
            if room.unfiled is not None:
                room.unfiled()
        raise


def file_entries(opened: Sequence[Opened]) -> Counter[Count]:
    """File entries that were not filed before, in the caller's transaction, in their order."""
    fresh = _unseen(opened)
    counts = Counter({Count.REPLAYED: len(opened) - len(fresh)})
    for kind, run in groupby((envelope.came for envelope in fresh), key=lambda envelope: type(envelope.entry)):
        counts += _FILERS[kind](list(run))
    SeenEntry.objects.bulk_create(
        SeenEntry(entry_id=envelope.came.entry_id, epoch=envelope.epoch)
        for envelope in fresh
        if _is_remembered(envelope)
    )
    return counts


def _unseen(opened: Sequence[Opened]) -> list[Opened]:
    rows = SeenEntry.objects.filter(
        entry_id__in=[envelope.came.entry_id for envelope in opened if _is_remembered(envelope)]
    )
    filed = set(rows.values_list("entry_id", flat=True))
    fresh: list[Opened] = []
    for envelope in opened:
        if envelope.came.entry_id not in filed:
            filed.add(envelope.came.entry_id)
            fresh.append(envelope)
    return fresh


def _is_remembered(envelope: Opened) -> bool:
    """Return whether it is written down that an entry was filed. Not for what is about nobody: on a quiet site that
    would be a row with a time for each visit (V1). The position files it once; a front that says it twice could as well
    count twice."""
    return envelope.came.entry.purpose is not None


def _written(site: Site) -> list[Path]:
    """The files in which what is filed lies; with each database its log, which holds what was committed last."""
    databases = [site.people_keys / "index.sqlite3", site.people_keys / "marks.sqlite3"]
    if connection.vendor == "sqlite":
        databases.insert(0, Path(connection.settings_dict["NAME"]))
    return [path_in(site.people_keys), *databases, *map(log_of, databases)]


def position() -> SpoolPosition:
    """Return how far the spool is processed."""
    row = Position.objects.get_or_create(id=1)[0]
    return SpoolPosition(row.segment, row.offset)


def _move(start: SpoolPosition, end: SpoolPosition) -> None:
    place = Position.objects.filter(id=1, segment=start.segment, offset=start.offset)
    if not place.update(segment=end.segment, offset=end.offset):
        raise AnotherWorker
    WorkerState.objects.filter(id=1).update(last_intake_at=clock.now())


def _item(part: Opened | Aside) -> Frame | Damage:
    return part.frame if isinstance(part, Opened) else part.item


def _last(opened: Sequence[Opened], aside: Sequence[Aside]) -> Opened | Aside:
    everything: list[Opened | Aside] = [*opened, *aside]
    return max(everything, key=lambda part: _item(part).offset)

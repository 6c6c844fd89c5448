"""What the worker does by the clock: heartbeat, keys of epochs, what is over and goes.

Every job is safe to run twice and at any time. No key is replaced, and none is destroyed while anything sealed with it
may still come. What removes for good waits while the clock is doubted (`core.clock_jumps`).
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from troth.audience.queries import site_time
from troth.audience.storage import rollup
from troth.audience.storage.fold import forget_minutes
from troth.core import clock, clock_jumps
from troth.core.disk import touch
from troth.core.epochs import ends_at, epoch_of
from troth.core.intake_counts import Count
from troth.core.rooms import Timer as RoomTimer
from troth.core.rooms import rooms
from troth.front import published
from troth.gate import outbox
from troth.policy import retention
from troth.supervisor.status_file import BEAT
from troth.vault import row_counts, wal_truncate
from troth.vault.envelope import PRIVATE_SIZE
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem, SeenEntry, WorkerState
from troth.worker import broken_promise_mail, publish, report_mail
from troth.worker.intake import Intake, position
from troth.worker.spool_reader import waiting

KEY_GRACE = timedelta(weeks=1)
"""How long an epoch's private key stays after the epoch: a front may have been late, a spool may have waited."""
_AHEAD = timedelta(days=1)
_PATIENCE_MS = 100


@dataclass(frozen=True, slots=True)
class Timer:
    """A job, and how many seconds lie between two runs. The job returns a count for the log."""

    name: str
    seconds: float
    job: Callable[[Intake], int]


def beat(intake: Intake) -> int:
    """Say that the worker lives, and how far behind it is."""
    _watch_clock()
    size, oldest = waiting(settings.TROTH_SITE.spool, position())
    WorkerState.objects.filter(id=1).update(
        beat_at=clock.now(), spool_bytes_waiting=size, spool_oldest_at=oldest if size else None
    )
    if not intake.waits:  # a worker that cannot file is as good as silent, and told so (`supervisor.status_file`)
        touch(settings.TROTH_SITE.data / BEAT)  # after the database: a worker without one is silent, too
    return 0


def started() -> None:
    """Write down that a worker has started, and where the clock is: not before it was compared with where it was."""
    global _clock
    last = WorkerState.objects.filter(id=1).values_list("beat_at", flat=True).first()
    _clock = clock_jumps.ClockWatch(settings.TROTH_SITE.data, last, _tell_leap)
    now = clock.now()
    for room in rooms():
        if room.started is not None:
            room.started()
    WorkerState.objects.update_or_create(id=1, defaults={"started_at": now, "beat_at": now})


_clock: clock_jumps.ClockWatch | None = None


def _watch_clock() -> None:
    if _clock is not None:
        _clock.look()


def _tell_leap(state: clock_jumps.ClockRecord) -> None:
    words = f"{clock_jumps.words(state)} {clock_jumps.MEND}" if state.doubted else "The clock is trusted again."
    print(f"worker: {words}", file=sys.stderr, flush=True)  # noqa: T201
    if not state.doubted:
        outbox.mend_times(clock.now())


def steady() -> bool:
    """Whether what is over its time by the clock may be removed for good."""
    return not clock.doubted()


def keys_ahead(_intake: Intake) -> int:
    """Make the next epoch's key in good time, so that it is in the backup before it is used."""
    now = clock.now()
    publish.ensure_key(epoch_of(now))
    publish.ensure_key(epoch_of(now + _AHEAD))
    return 0


def retire_keys(intake: Intake) -> int:
    """Destroy private keys of epochs that are over for a week and of which nothing waits; returns how many."""
    removed, now = 0, clock.now()
    if not steady():
        return 0
    for path in settings.TROTH_SITE.seal_keys.glob("*.key"):
        if path.stem.isdigit() and _may_go(int(path.stem), now):
            _destroy(path)
            intake.keys.forget(int(path.stem))
            SeenEntry.objects.filter(epoch=int(path.stem)).delete()  # its envelopes open no more
            removed += 1
    return removed


def _may_go(epoch: int, now: datetime) -> bool:
    if now < ends_at(epoch) + KEY_GRACE or epoch >= _newest_used():
        return False
    in_force = published.load(settings.TROTH_SITE.public)
    if in_force is None or in_force.epoch <= epoch:
        return False
    size, _ = waiting(settings.TROTH_SITE.spool, position())
    waits_for_key = AsideItem.objects.filter(epoch=epoch, kept=True, filed_at=None).exists()
    return size == 0 and not waits_for_key


def _newest_used() -> int:
    """The newest epoch of which something was filed: a clock that ran ahead must not cost the key in use."""
    newest: int | None = SeenEntry.objects.aggregate(newest=Max("epoch"))["newest"]
    return newest if newest is not None else 1 << 16


def _destroy(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(PRIVATE_SIZE))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def purge(_intake: Intake) -> int:
    """Remove what is over its time, of every kind."""
    if not steady():
        return 0
    return retention.sweep()


def publish_again(_intake: Intake) -> int:
    """Publish where the epoch has changed."""
    return publish.publish() or 0


def retry_aside(intake: Intake) -> int:
    """Try what was set aside once more."""
    return intake.retry_aside()[Count.FILED]


def fold_tally(_intake: Intake) -> int:
    """Fold what PostgreSQL appended to the counts; nothing worth a line in the log."""
    row_counts.fold()
    return 0


def queue_reports(_intake: Intake) -> int:
    """Queue the report of the week or month that is over, once."""
    if not steady():
        return 0
    return report_mail.queue()


def queue_alarms(_intake: Intake) -> int:
    """Queue the mail that a promise is broken, or is kept again, once."""
    return broken_promise_mail.queue()


def close_days(_intake: Intake) -> int:
    """Close the days of visitor statistics that are over and filed; forget the minutes that are."""
    if not steady():
        return 0
    size, oldest = waiting(settings.TROTH_SITE.spool, position())
    forget_minutes(site_time.now())
    return rollup.close(clock.now(), settings.TROTH_CONFIG.zone, oldest if size else None)


def cut_log(_intake: Intake) -> int:
    """Cut SQLite's log: it holds one commit behind the other, and on a quiet site each is one visitor's hit (V1)."""
    _uncut.look(settings.TROTH_SITE.database, cut=keeper().tidy(_PATIENCE_MS))
    return 0


def cut_logs_besides(_intake: Intake) -> int:
    """Cut the logs beside the keys, where an erasure could not: whom it was about stands in them until then."""
    uncut = keeper().tidy_besides(_PATIENCE_MS)
    for index in (keeper().index, keeper().marks):
        _uncut.look(index.path, cut=index.path not in uncut)
    return 0


class _Uncut:
    """Which logs could not be cut, since when: written down once that lasts longer than a reader of ours would."""

    _LASTS = 60.0

    def __init__(self) -> None:
        self._since: dict[Path, tuple[float, datetime]] = {}

    def look(self, database: Path, *, cut: bool) -> None:
        if cut:
            self._since.pop(database, None)
        else:
            self._since.setdefault(database, (time.monotonic(), clock.now()))
        lasting = {
            path: at for path, (started_at, at) in self._since.items() if time.monotonic() - started_at >= self._LASTS
        }
        root = settings.TROTH_SITE.root
        names = tuple(sorted(str(path.relative_to(root)) for path in lasting))
        wal_truncate.note(
            settings.TROTH_SITE.data, wal_truncate.Uncut(min(lasting.values()), names) if lasting else None
        )


_uncut = _Uncut()


def _of_rooms() -> Iterator[Timer]:
    for room in rooms():
        for timer in room.timers:
            yield Timer(timer.name, timer.seconds, _job(timer))


def _job(timer: RoomTimer) -> Callable[[Intake], int]:
    def job(_intake: Intake) -> int:
        return timer.job() if steady() or not timer.removes else 0

    return job


TIMERS = (
    Timer("beat", 5, beat),
    Timer("published", 10, publish_again),
    Timer("keys_ahead", 3600, keys_ahead),
    Timer("keys_retired", 3600, retire_keys),
    Timer("purged", 600, purge),
    Timer("tally_folded", 60, fold_tally),
    Timer("days_closed", 60, close_days),
    Timer("reports_queued", 60, queue_reports),
    Timer("alarms_queued", 10, queue_alarms),
    Timer("aside_filed", 300, retry_aside),
    Timer("logs_cut", 30, cut_logs_besides),
    *_of_rooms(),
    Timer("log_cut", 5, cut_log),  # after the others, so that it has what they wrote
)

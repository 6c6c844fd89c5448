"""Imports in the console: a file is uploaded, checked, shown to its operator, and imported once they confirm.

The file is in this process's memory and nowhere else, until it is imported, discarded or an hour old, or until the
admin server ends. Checking and importing run in a thread, one at a time, by the same code as `troth people import`; one
that is cut off is begun again with the same file, and nobody is imported twice. Each operator sees only their own.

May touch: the database, `keys/people/`.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from django.db import connections

from troth.core.errors import TrothError
from troth.core.ids import new_id
from troth.people import import_columns, import_files, import_job, import_topics
from troth.people.csv_sources import FileInMemory
from troth.people.import_columns import ImportColumns
from troth.people.import_files import ReadingOptions
from troth.people.import_job import ExaminedFile, PeopleImport

KEPT_SECONDS = 3600.0
"""How long an uploaded file stays in memory."""
MOST = 4
"""Files in memory at once, of all operators."""
PREVIEW = 3
"""Rows that are shown, masked."""
_STOPPED = "It stopped because of an error, which is in the log. Upload the file again: nobody is imported twice."
_LOG = logging.getLogger(__name__)


class Step(StrEnum):
    """How far an import is."""

    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Statement:
    """What the operator says of a file."""

    options: ReadingOptions
    source: str
    """Where the people come from; empty: the file's name."""
    topics: tuple[str, ...] = ()
    """For everybody in it, by name."""
    update: bool = False


@dataclass(slots=True, repr=False)
class Desk:
    """One operator's import."""

    id: UUID
    file: FileInMemory
    statement: Statement
    job: PeopleImport
    columns: ImportColumns
    """Of the file of subscribers."""
    shape: str
    """How that is written."""
    first_rows: tuple[tuple[str, ...], ...]
    """Of the same, masked, in the order of its columns."""
    states: Mapping[str, str]
    """Of a ZIP, what each file's name says of the people in it."""
    step: Step = Step.CHECKING
    done: int = 0
    """Of `size` bytes."""
    size: int = 0
    rows: int = 0
    checked: ExaminedFile = field(default_factory=ExaminedFile)
    imported: Counter[str] = field(default_factory=Counter)
    creates_topics: bool = False
    problem: str = ""

    def progress(self, _phase: str, done: int, size: int, rows: int) -> None:
        """Note how far it is."""
        self.done, self.size, self.rows = done, size, rows

    @property
    def moves(self) -> bool:
        """Whether something is being done with it."""
        return self.step in (Step.CHECKING, Step.IMPORTING)

    @property
    def percent(self) -> int:
        """Return how far that is."""
        return 100 * self.done // self.size if self.size else 0

    def forget(self) -> None:
        """Drop the file and what was found of single people in it; the numbers stay."""
        self.file, self.first_rows = FileInMemory(self.file.name, b""), ()
        self.job = replace(self.job, files=())
        self.checked.fates, self.checked.unsubscribed, self.checked.chosen = {}, set(), {}

    def may_import(self, *, skip_bad: bool) -> bool:
        """Whether there is anybody to import, and no row that stops it."""
        return self.checked.usable > 0 and (skip_bad or not self.checked.counts["bad"])


_desks: dict[UUID, Desk] = {}
"""By operator."""
_lock = threading.Lock()
_turn = threading.Lock()
"""Whoever works has it: a second import waits, as each takes a core and much memory."""


def snapshot(operator: UUID, ident: UUID) -> Desk | None:
    """Return a copy of this operator's import, if it is the one of this id: a thread may be at work on the import.

    `step` is copied before what was found, as the fields' order is, and a thread writes it last: a copy that says
    `CHECKED` or `DONE` has all that was found."""
    desk = _of(operator, ident)
    return desk and replace(desk)


def _of(operator: UUID, ident: UUID) -> Desk | None:
    desk = _desks.get(operator)
    return desk if desk is not None and desk.id == ident else None


def latest(operator: UUID) -> Desk | None:
    """Return what this operator has begun and not discarded."""
    return _desks.get(operator)


def begin(operator: UUID, file: FileInMemory, statement: Statement) -> UUID:
    """Begin to check a file; return the import's id. An earlier one of the same operator is dropped. Raises
    `FileRefused`, and `TrothError` while another one is being imported, or there are too many."""
    desk = _read(file, statement, operator)
    with _lock:
        before = _desks.get(operator)
        if before is not None and before.step is Step.IMPORTING:
            raise TrothError("An import of yours is under way.", mend="Wait until it is done.")
        if before is None and len(_desks) >= MOST:
            raise TrothError(
                "Other operators have uploaded files just now.", mend="Try again when they are done, or in an hour."
            )
        _desks[operator] = desk
    _drop_later(operator, desk)
    _start(_check, desk)
    return desk.id


def check_again(operator: UUID, ident: UUID, columns: Mapping[str, str]) -> None:
    """Check the file once more, with these columns read otherwise. Raises `FileRefused`."""
    desk = _of(operator, ident)
    if desk is None or desk.step not in (Step.CHECKED, Step.FAILED):
        return
    statement = replace(desk.statement, options=replace(desk.statement.options, columns=columns))
    again = replace(_read(desk.file, statement, operator), id=ident)
    with _lock:
        if _desks.get(operator) is desk and not desk.moves:
            _desks[operator] = again
    _start(_check, again)


def confirm(operator: UUID, ident: UUID, *, skip_bad: bool, create_topics: bool) -> bool:
    """Begin to import what was checked; return whether that was possible."""
    with _lock:
        desk = _of(operator, ident)
        if desk is None or desk.step is not Step.CHECKED or not desk.may_import(skip_bad=skip_bad):
            return False
        desk.step, desk.done, desk.creates_topics = Step.IMPORTING, 0, create_topics
    _start(_import, desk)
    return True


def discard(operator: UUID, ident: UUID) -> None:
    """Drop a file and what was found in it, unless it is being imported."""
    with _lock:
        desk = _of(operator, ident)
        if desk is not None and desk.step is not Step.IMPORTING:
            del _desks[operator]


def _read(file: FileInMemory, statement: Statement, operator: UUID) -> Desk:
    files = import_files.files_of(file, statement.options, import_topics.site_topics(statement.topics))
    job = PeopleImport(files, statement.source or file.name, operator, statement.update)
    subscribers = next(part for part in files if part.state is None)
    columns, width = subscribers.columns, len(subscribers.columns.headers)
    rows = tuple(
        tuple(import_columns.masked(cell) for cell in [*cells, *[""] * width][:width])
        for cells in import_job.first_rows(subscribers.source, subscribers.shape, PREVIEW)
    )
    return Desk(
        id=new_id(), file=file, statement=statement, job=job, size=job.size, first_rows=rows, columns=columns,
        shape=subscribers.shape.words,
        states={part.source.name: part.state or import_job.SUBSCRIBED for part in files} if len(files) > 1 else {},
    )  # fmt: skip


def _start(work: Callable[[Desk], None], desk: Desk) -> None:
    """Let a thread do it."""
    threading.Thread(target=_in_thread, args=(work, desk), daemon=True).start()


def _in_thread(work: Callable[[Desk], None], desk: Desk) -> None:
    try:
        _work(work, desk)
    finally:
        connections.close_all()  # this thread's own


def _work(work: Callable[[Desk], None], desk: Desk) -> None:
    with _turn:
        try:
            work(desk)
        except TrothError as error:
            desk.step, desk.problem = Step.FAILED, f"{error} {error.mend}".strip()
        except Exception as error:  # what stops a thread without a word would leave the page waiting
            desk.step, desk.problem = Step.FAILED, _STOPPED
            _LOG.error("import stopped: %s", type(error).__name__)


def _check(desk: Desk) -> None:
    desk.checked = import_job.examine(desk.job, desk.progress)
    desk.step = Step.CHECKED


def _import(desk: Desk) -> None:
    if desk.creates_topics:
        import_topics.create(desk.checked.unknown_topics)
        desk.job.read_topics_as(import_topics.site_topics(desk.statement.topics))
    desk.imported = import_job.carry_out(desk.job, desk.checked, desk.progress)
    desk.step = Step.DONE
    desk.forget()


def _drop_later(operator: UUID, desk: Desk) -> None:
    """Drop an import after `KEPT_SECONDS`, whether or not anybody looks."""

    def drop() -> None:
        with _lock:
            if _desks.get(operator) is not None and _desks[operator].id == desk.id:
                del _desks[operator]

    timer = threading.Timer(KEPT_SECONDS, drop)
    timer.daemon = True
    timer.start()

"""The packages that hold a capability, and what each says of itself once, in its `room.py`.

To add one, add it to `ROOMS` and give it a `room.py` with `ROOM = Room(...)`: worker, admin server, backups, rights and
policy go through `rooms()`. A `room.py` is loaded by name once Django is set up, so it may import models; front, clerk
and supervisor never load one (WALL 1; a contract and a test hold them to it).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any
from uuid import UUID

from troth.core.config.sections import Config
from troth.core.entry import Came, Entry
from troth.core.holdings import Holding
from troth.core.intake_counts import Count
from troth.core.personal import EmailAddress
from troth.core.purpose import Category, Purpose
from troth.core.retention_duties import RetentionDuty

ROOMS = ("newsletter", "contact", "shop", "audience", "rights", "policy", "people")
"""Packages under `troth/`, in the order in which exports and tables name them."""

type File = Callable[[Sequence[Came[Any]]], Counter[Count]]
"""Files entries of one type, in the caller's transaction; returns what was done."""
type Compose = Callable[[Sequence[Any]], Mapping[UUID, Any]]
"""Writes the emails of these `gate.models.Delivery` rows: by delivery id, a `gate.message.Mail`."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A job that the worker does every so many seconds. It returns a count for the log."""

    name: str
    seconds: float
    job: Callable[[], int]
    removes: bool = False
    """Whether it removes something for good: it then waits while the clock is doubted (`core.clock_jumps`)."""


@dataclass(frozen=True, slots=True)
class BulkMail:
    """Emails to many people, sent while nothing else waits to be sent."""

    due: Callable[[], UUID | None]
    """What the emails are about that are to be sent now (`gate.models.Delivery.about`); None: there are none."""
    advance: Callable[[], int]
    """Does one step of everything around them, in well under a second. Returns how much there was to do."""


@dataclass(frozen=True, slots=True)
class OutsideWork:
    """Jobs that another party's server is asked about, beside everything else, so that nothing waits for it."""

    due: Callable[[], Sequence[Any]]
    """Claims what is due, and returns it; in well under a second."""
    ask: Callable[[Any], Any]
    """Asks, on a thread of its own, which has no database: through the gate. Raises nothing that is expected."""
    record: Callable[[Any, Any], int]
    """Writes down what a job came to. Returns whether something changed, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailKind:
    """A kind of email. Declared where it is queued; `gate.email_kinds` has all of them."""

    name: str
    """In the database, at most 16 characters."""
    title: str
    """For operators, and for people in their export."""
    to: str
    """Who gets it, for docs/mail.md."""
    contains: str
    """When it is sent and what it contains, for docs/mail.md."""
    to_operators: bool = False
    even_restricted: bool = False
    """Whether people whose processing is restricted get it all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Something that is kept for a time: a row of the retention page and of the policy's table."""

    name: str
    """For programs."""
    title: str
    """For operators."""
    visitors: str
    """For visitors, in the policy."""
    anonymous: bool = False
    """Whether it carries nobody's details that could be read."""
    period: Callable[[Config], timedelta]
    oldest: Callable[[], datetime | None]
    """When the oldest began to be kept."""
    sweep: Callable[[Config], int] | None
    """Removes what is past its time; returns how many. None where the worker cannot reach it; `mend` says who does."""
    why: str
    words: str = ""
    """The period in words, where it is not a plain number of days."""
    mend: str = "The worker removes it: is it running? `troth status` says so."


@dataclass(frozen=True, slots=True)
class Collected:
    """Something that is stored about a person: a row of the policy's table."""

    name: str
    """The record's kind, or the table."""
    title: str
    why: Purpose
    how: str
    """Where it comes from and how it is protected, in words."""
    until: str
    """How long, in words that name the setting's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLink:
    """An entry of the console's navigation."""

    place: int
    """Its place among all entries: lower comes first."""
    url_name: str
    label: str
    icon: str
    """Names `kit/icons/<icon>.svg`."""
    also: tuple[str, ...] = ()
    """Further pages, by URL name, on which this entry is marked as the current one."""
    roles: tuple[str, ...] | None = None
    """Who sees it, as `kit.roles` names them: the same as may open the page. None: everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one package does, stores and shows. Everything is optional but the name."""

    name: str

    # -- what comes in and goes out
    asks: Callable[[Config], Sequence[Category]] = lambda _config: ()
    """The contact details that its forms ask for."""
    files: Mapping[type[Entry], File] = field(default_factory=dict)
    """What visitors may submit, and what files it."""
    checks: Mapping[type[Entry], Callable[[Any], None]] = field(default_factory=dict)
    """What the database has to say of an entry before it is filed. Each raises `EntryRefused`."""
    unfiled: Callable[[], None] | None = None
    """Called where a transaction that filed something was rolled back: forget what was remembered of it."""
    mails: Mapping[EmailKind, Compose] = field(default_factory=dict)
    """Its kinds of email, and what writes them."""
    bulk: BulkMail | None = None
    outside: OutsideWork | None = None

    # -- what happens by itself
    started: Callable[[], None] | None = None
    """Called when a worker starts."""
    timers: tuple[Timer, ...] = ()

    # -- what it stores
    holding: Holding | None = None
    """Its `erase.py`: history, export and erasure of a person."""
    forget_address: Callable[[UUID, EmailAddress], None] | None = None
    """Called before a person is erased: forget what is remembered of their address outside of their records."""
    retention: tuple[Retained, ...] = ()
    active: Callable[[Config], bool] = lambda _config: True
    """Whether the operator uses it: of one that is off, the policy and the console's navigation name nothing."""
    kept_by_law: tuple[RetentionDuty, ...] = ()
    """Which classes of its records a law requires to be kept, even if the person is erased (`vault.legal_holds`)."""
    collects: Callable[[Config], Sequence[Collected]] = lambda _config: ()
    """Rows of the policy's table of what is stored about people."""
    record_words: Mapping[str, str] = field(default_factory=dict)
    """Its kinds of records as a deletion receipt names them."""
    columns: frozenset[str] = frozenset()
    """Columns, as `label.Model.field`, that hold more than numbers and times, each looked at: none is a visitor's
    detail as it is. One that is declared nowhere fails the proof of `contact.basic`."""

    # -- what it shows
    urls: str = ""
    """The module with the console's pages of this package, for Django's `include()`."""
    navigation: tuple[MenuLink, ...] = ()
    status: Callable[[], Mapping[str, Mapping[str, int]]] = dict
    """Counts for System status, `troth status` and Prometheus: by name, then by state."""


@cache
def rooms() -> tuple[Room, ...]:
    """Return every package's room, in the order of `ROOMS`. Call it after Django is set up."""
    return tuple(import_module(f"troth.{name}.room").ROOM for name in ROOMS)

"""A test visitor visits the site, and what its hits left is examined: in the spool, decrypted with the site's own key
before it is removed, and in the tables. Agent, language, referrer, query and campaign are marked, new for each run.

It is counted like anybody, by the same code and in the same tables, but separately: its hits carry a mark that the
worker published for fronts, so its totals are in frames of their own and filed under impossible dates. No figure ever
includes it, and other visits are in nothing that is examined here. May touch: the site's own front; the spool and its
keys (reading); the statistics tables.
"""

import secrets
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from troth.audience.counting import user_agents
from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.models import Name
from troth.audience.queries.exclusions import within
from troth.audience.queries.queries import Period, Query, answer
from troth.audience.storage.fold import day_of_proofs
from troth.audience.storage.read import of_proofs
from troth.core import clock
from troth.gate.loopback.front_client import FrontAnswer, OwnFront
from troth.policy.promises import LOOKS
from troth.proofs.context import Scene
from troth.proofs.instruments import cookie_rules, file_scan, spool_and_tables
from troth.proofs.instruments.spool_and_tables import (
    Book,
    NotTried,
    OpenedFrame,
    Rows,
    SpoolWatch,
    book_now,
    filed_up_to,
    rows_of,
    wait_until_filed,
)
from troth.vault.models import WorkerState
from troth.vault.read_snapshot import one_moment

AGAIN = LOOKS
"""How often the visitor views one page."""
SECONDS = 30
MASKED = "/troth-proof/(e-mail)"
"""The only name that proofs leave behind: a page with an email address in its URL."""
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_TAKEN_UP_SECONDS = 3.0
_BEAT = timedelta(seconds=60)
_LETTERS = "ghjkmnpqrstvwxz"
_MOST_BRINGERS = 10


@dataclass(slots=True)
class SentHit:
    """A hit that was sent, and what it added to the spool."""

    kind: str
    answer: FrontAnswer
    frames: list[OpenedFrame]

    @property
    def alone(self) -> OpenedFrame | None:
        """The frame that holds this hit alone; None if others came at the same moment."""
        (frame,) = self.frames if len(self.frames) == 1 else (None,)
        return frame if frame and frame.is_of_one(seconds=SECONDS if self.kind == "stayed" else 0) else None


@dataclass(slots=True)
class SiteVisit:
    """The result of the test visit."""

    trouble: str = ""
    """Why the visit could not be made, if so. Shown to people."""
    marks: list[str] = field(default_factory=list)
    address: str = ""
    language: str = ""
    pages: tuple[str, str, str] = ("", "", "")
    """The names under which its three pages are counted."""
    hits: list[SentHit] = field(default_factory=list)
    books: list[Book] = field(default_factory=list)
    """The tables before the visit, after the first view, after the last view of the same page, and after the visit."""
    lines: list[int] = field(default_factory=list)
    """How many lines the log had for each of `books`; empty if it is not readable."""
    idle: tuple[Book, Book] | None = None
    """The tables before and after an equally long time without hits, which shows what grows because of others. None if
    nothing had grown."""
    idle_lines: int = 0
    """By how many lines the log grew in that time."""
    stray: list[str] = field(default_factory=list)
    """What is wrong with frames that are not counts. Shown to people."""
    masked: bool = False
    """Whether several visitors could view a page with an email address in its URL."""
    today: int = 0
    """The day that was queried, as the tables store it."""
    shown_views: dict[Dim, int] = field(default_factory=dict)
    """Views of that day by dimension, as Admin's queries return them."""
    chosen: bool = True
    """Whether a browser sends the opt-out from every page that is counted."""
    stored_rows: Rows = field(default_factory=dict)
    """The tables' rows of that day, at the same moment."""
    taken_out: bool = False
    """Whether the operator excluded some of that day's traffic."""

    def of(self, kind: str) -> list[SentHit]:
        """Return the hits of one kind."""
        return [hit for hit in self.hits if hit.kind == kind]

    @property
    def quiet(self) -> bool:
        """Whether every hit of the visit was alone in its frame."""
        return all(hit.alone for hit in self.hits if hit.kind in WALK)


WALK = ("first", "again", "second", "stayed", "left", "third")


def visited(scene: Scene) -> SiteVisit:
    """Return this run's visit, making it on the first call."""
    if "visited" not in scene.shared:
        scene.shared["visited"] = _visit(scene)
    visit = scene.shared["visited"]
    assert isinstance(visit, SiteVisit)
    return visit


def _visit(scene: Scene) -> SiteVisit:
    for _ in range(_WALKS):
        visit = _visit_once(scene)
        if visit.trouble != _CHANGED:
            break
    return visit


def _visit_once(scene: Scene) -> SiteVisit:
    visit = SiteVisit()
    try:
        if scene.config.audience.enabled:
            _require_worker()
            spool_and_tables.remove()  # what a walk that was killed has left
            try:
                _Walker(scene, visit).walk()
            finally:
                spool_and_tables.remove()
    except NotTried as why:
        visit.trouble = str(why)
    except OSError:
        visit.trouble = "The public server does not respond, or the spool is not readable."
    return visit


def current_figures(scene: Scene) -> SiteVisit:
    """Return the current figures, without a visit."""
    visit = SiteVisit(books=[book_now()])
    run_queries(scene, visit)
    return visit


def _require_worker() -> None:
    state = WorkerState.objects.filter(id=1).first()
    if state is None or state.beat_at < clock.now() - _BEAT:
        raise NotTried("The worker is not running, so hits are not being processed.")


def _new_mark() -> str:
    """Return letters only, which no rule masks."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


def _new_language() -> str:
    """Return a language that is not in the statistics, so that no counted name is mistaken for it."""
    while True:
        language = "".join(secrets.choice(_LETTERS) for _ in range(3))
        if not Name.objects.filter(text=language).exists():
            return language


class _Walker:
    """One visitor, new for each run."""

    def __init__(self, scene: Scene, visit: SiteVisit) -> None:
        self._scene, self._told = scene, visit
        self._plan = _published(scene)
        self._host = sorted(self._plan["hosts"])[0] if self._plan["hosts"] else ""
        self._front = scene.front.elsewhere()
        visit.address = self._front.visitor
        visit.language = _new_language()
        self._mark = {kind: _new_mark() for kind in _MARKS}
        visit.marks = [*self._mark.values()]
        known_paths = [
            name for name in self._plan["names"].get(Dim.PAGE.code, []) if name.startswith("/") and "?" not in name
        ]
        self._paths = [*known_paths, "", ""][:2]
        visit.pages = (self._paths[0] or OTHER, self._paths[1] or OTHER, OTHER)
        self._spool = SpoolWatch(scene)
        self._end = self._spool.end

    def walk(self) -> None:
        """Make the whole visit, recording the tables in between."""
        first, second = (path or f"/{self._mark['path']}{number}" for number, path in enumerate(self._paths))
        self._record_tables()
        self._view("first", first)
        self._record_tables()
        started = time.monotonic()
        for _ in range(AGAIN - 1):
            self._view("again", first)
            wait_until_filed(self._spool.end)  # as on a quiet site: filed together, they would leave one trace for all
        self._record_tables()
        self._idle(time.monotonic() - started)
        self._view("second", second)
        self._hit("stayed", {"k": "t", "u": self._url(second), "s": str(SECONDS)})
        self._hit("left", {"k": "o", "u": self._url(second), "n": f"https://{self._mark['outbound']}.example.com/x"})
        self._view("third", f"/{self._mark['path']}/{self._mark['mail']}@example.org")
        self._record_tables()
        run_queries(self._scene, self._told)
        fields = {"k": "v", "u": self._url(first)}
        self._hit("robot", fields, {"User-Agent": ROBOT})
        for program in self._scene.config.audience.products[:1]:
            self._hit("program", {"k": "p", "n": program, "v": self._mark["version"], "y": "linux"})
        self._hit("signal", fields, {"Sec-GPC": "1"})
        if choice := self._opt_out():
            self._hit("choice", fields, {"Cookie": f"{self._mark['cookie']}=1; {choice}"})
        self._view_masked_page()
        if _published(self._scene) != self._plan:
            raise NotTried(_CHANGED)

    def _opt_out(self) -> str:
        """Opt out; return the cookie that a browser would send with hits, or "" if it would not send it from every
        counted page."""
        url = self._scene.config.site.url
        scheme, _, after_scheme = url.partition("://")
        whence = {"Origin": f"{scheme}://{after_scheme.partition('/')[0]}", "Sec-Fetch-Site": "same-origin"}
        answer = self._front.post("/privacy/choices", [("count", "no")], whence)
        if answer.status != 303:
            raise NotTried(f"The public server did not accept a test visitor’s choice ({answer.status}).")
        cookie = cookie_rules.kept(answer.headers.get("set-cookie", ""), f"{url}/privacy/choices")
        pages = [f"{scheme}://{host}/" for host in self._plan["hosts"]]
        self._told.chosen = cookie is not None and all(
            cookie_rules.is_sent(cookie, f"{url}/hit", page) for page in pages
        )
        return f"{cookie.name}={cookie.value}" if cookie and self._told.chosen else ""

    def _view_masked_page(self) -> None:
        """View the page with an email address in its URL as so many visitors that its name may be stored."""
        visitors = int(self._plan["at_least"])
        if visitors > _MOST_BRINGERS:
            return
        addresses = set()
        for _ in range(visitors):
            visitor = self._front.elsewhere()
            addresses.add(visitor.visitor)
            url = f"https://{self._host}/troth-proof/{self._mark['mail']}@example.org"  # a campaign would be known, too
            self._hit("brought", {"k": "v", "u": url}, front=visitor)
        self._told.masked = len(addresses) == visitors

    def _url(self, path: str) -> str:
        mail, query, campaign = self._mark["mail"], self._mark["query"], self._mark["campaign"]
        return f"https://{self._host}{path}?q={query}&mail={mail}%40example.org&utm_campaign={campaign}#{query}"

    def _view(self, kind: str, path: str) -> None:
        before = f"https://{self._mark['referrer']}.example.org/{self._mark['before']}?q={self._mark['query']}"
        self._hit(kind, {"k": "v", "u": self._url(path), "r": before, "w": "1280"})

    def _hit(
        self, kind: str, fields: dict[str, str], more: Mapping[str, str] | None = None, front: OwnFront | None = None
    ) -> None:
        headers = {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            f"Chrome/126.0.0.0 Safari/537.36 {self._mark['agent']}/1.0",
            "Accept-Language": "en" if front else f"{self._told.language},en;q=0.1",
            MARK: self._plan["proof"],
            **(more or {}),
        }
        if (
            user_agents.parse(headers["User-Agent"]).dropped and kind != "robot"
        ):  # the marks happen to spell a robot's name
            raise NotTried("A test visitor was mistaken for a robot; the next run uses another one.")
        answer = (front or self._front).hit(urlencode(fields).encode(), headers)
        if answer.status != 204:
            raise NotTried(f"The public server did not count a test visitor ({answer.status}).")
        frames, stray = self._spool.fresh()
        self._told.hits.append(SentHit(kind, answer, frames))
        self._told.stray += stray

    def _record_tables(self) -> None:
        """Record the tables once everything sent so far is filed."""
        self._told.books.append(filed_up_to(self._spool.end))
        with suppress(OSError):
            self._told.lines.append(file_scan.count_lines(self._scene))

    def _idle(self, seconds: float) -> None:
        """Where something grew with each hit, record whether it grows without hits."""
        _, once, often = self._told.books
        lines = [*self._told.lines, 0, 0, 0]
        grown = {table for table in often.counts if often.counts[table] - once.counts.get(table, 0) >= AGAIN - 1}
        if grown or lines[2] - lines[1] >= AGAIN // 2:
            time.sleep(min(seconds, _LONGEST_IDLE))
            self._told.idle = often, book_now()
            with suppress(OSError):
                self._told.idle_lines = file_scan.count_lines(self._scene) - lines[2]


_CHANGED = "The list of pages changed during the check; the next run will do it."
_WALKS = 3
_ALL = 1_000_000
_LONGEST_IDLE = 20.0
MARK = "Troth-Proof"
"""The header by which fronts recognise these hits."""
SHOWN = (Dim.PAGE, Dim.SOURCE, Dim.DEVICE)
_MARKS = ("agent", "path", "mail", "referrer", "before", "query", "campaign", "outbound", "cookie", "version")


def run_queries(scene: Scene, visit: SiteVisit) -> None:
    """Record Admin's query results and the tables at one moment: of the visit, or in a quick run of the real
    figures."""
    today = clock.now().astimezone(scene.config.zone).date()
    day = today.toordinal()
    visit.today = day if scene.light else day_of_proofs(day)
    with nullcontext() if scene.light else of_proofs(), one_moment():
        visit.shown_views = {
            dim: sum(row.totals.views for row in answer(Query(Period(today, today), dim=dim, limit=_ALL)).rows)
            for dim in SHOWN
        }
        visit.stored_rows = rows_of(visit.today)
        visit.taken_out = bool(within(Period(today, today)))


def _published(scene: Scene) -> dict[str, Any]:
    """Return the configuration of counting that was published for fronts."""
    path = scene.site.public / "current" / "front.msgpack"
    try:
        while 0 <= time.time() - path.stat().st_mtime < _TAKEN_UP_SECONDS:  # fronts look each second
            time.sleep(0.1)
        published = msgspec.msgpack.decode(path.read_bytes(), strict=False)
    except (FileNotFoundError, msgspec.MsgspecError):
        raise NotTried("Nothing has been published yet.") from None
    plan = published.get("audience") if isinstance(published, dict) else None
    if not isinstance(plan, dict):
        raise NotTried("The public server has not been configured to count yet.")
    if not plan.get("proof"):
        raise NotTried("The public server cannot recognise test visits yet.")
    return {"names": {}, "at_least": 3, **plan}

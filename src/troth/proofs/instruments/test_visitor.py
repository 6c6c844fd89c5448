"""An invented visitor walks through the site, and what its hits left is looked at: in the spool, opened with the site's
own key before it is removed, and in the tables. New marks each time: agent, language, page before, query, campaign.

It is counted as anybody is, by the same lines of the program and in the same tables, and apart from everybody: its hits
carry a mark that the worker published for fronts, so that its sums are in frames of their own and are filed before all
time. No figure has it, not even for a moment, and what others do meanwhile is in nothing that is looked at here.
May touch: the own front; the spool and its keys (reading); the tables of statistics.
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
from troth.audience.queries.queries import Period, top
from troth.audience.storage.fold import day_of_proofs
from troth.audience.storage.read import of_proofs
from troth.core import clock
from troth.gate.loopback.front_client import Answer, OwnFront
from troth.policy.promises import LOOKS
from troth.proofs.context import Scene
from troth.proofs.instruments import cookie_rules, file_scan, spool_and_tables
from troth.proofs.instruments.spool_and_tables import (
    Book,
    Frame,
    NotTried,
    Rows,
    Spool,
    book_now,
    filed_up_to,
    rows_of,
    wait_until_filed,
)
from troth.vault.models import WorkerState
from troth.vault.read_snapshot import one_moment

AGAIN = LOOKS
"""So often one visitor looks at one page."""
SECONDS = 30
MASKED = "/troth-proof/(e-mail)"
"""The one name that trials leave: a page whose address has somebody's e-mail address in it."""
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_TAKEN_UP_SECONDS = 3.0
_BEAT = timedelta(seconds=60)
_LETTERS = "ghjkmnpqrstvwxz"
_MOST_BRINGERS = 10


@dataclass(slots=True)
class Hit:
    """A hit that was sent, and what lay in the spool afterwards that had not been there before."""

    kind: str
    answer: Answer
    frames: list[Frame]

    @property
    def alone(self) -> Frame | None:
        """The one frame that holds this hit and nobody else's; None where others came in the same moment."""
        (frame,) = self.frames if len(self.frames) == 1 else (None,)
        return frame if frame and frame.is_of_one(seconds=SECONDS if self.kind == "stayed" else 0) else None


@dataclass(slots=True)
class SiteVisit:
    """What came of the walk."""

    trouble: str = ""
    """Why it could not be tried, if so: in our own words."""
    marks: list[str] = field(default_factory=list)
    address: str = ""
    language: str = ""
    pages: tuple[str, str, str] = ("", "", "")
    """The names under which its three pages are counted."""
    hits: list[Hit] = field(default_factory=list)
    books: list[Book] = field(default_factory=list)
    """Before; after the first view; after the last view of the same page; after the walk."""
    lines: list[int] = field(default_factory=list)
    """How many lines the log had as each book was made; nothing where it may not be read."""
    idle: tuple[Book, Book] | None = None
    """Before and after a time as long as those views took, in which the invented visitor did nothing: what grows then,
    too, grows by others. None where nothing had grown."""
    idle_lines: int = 0
    """By how many lines the log grew in that time."""
    stray: list[str] = field(default_factory=list)
    """Of frames that are no counts: in our own words."""
    masked: bool = False
    """Whether several visitors could bring a page with an e-mail address in it."""
    today: int = 0
    """The day that the questions were about, as the tables have it."""
    shown_views: dict[Dim, int] = field(default_factory=dict)
    """Views of that day by these, as the office's questions find them."""
    chosen: bool = True
    """Whether a browser brings the choice that was made here along from each page that is counted."""
    stored_rows: Rows = field(default_factory=dict)
    """What the tables have of that day, at the same moment."""
    taken_out: bool = False
    """Whether the operator took something of that day out of what the office shows."""

    def of(self, kind: str) -> list[Hit]:
        """The hits of one kind."""
        return [hit for hit in self.hits if hit.kind == kind]

    @property
    def quiet(self) -> bool:
        """Whether every hit of the walk was alone in its frame."""
        return all(hit.alone for hit in self.hits if hit.kind in WALK)


WALK = ("first", "again", "second", "stayed", "left", "third")


def visited(scene: Scene) -> SiteVisit:
    """The walk of this run; made when it is first asked for."""
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
            _worker_lives()
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


def stood(scene: Scene) -> SiteVisit:
    """The figures as they stand, without a walk."""
    visit = SiteVisit(books=[book_now()])
    ask(scene, visit)
    return visit


def _worker_lives() -> None:
    state = WorkerState.objects.filter(id=1).first()
    if state is None or state.beat_at < clock.now() - _BEAT:
        raise NotTried("The worker is not running, so hits are not being processed.")


def _new_mark() -> str:
    """Letters alone: nothing masks them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


def _new_language() -> str:
    """One that nobody has asked for: no name that is counted may be taken for it."""
    while True:
        language = "".join(secrets.choice(_LETTERS) for _ in range(3))
        if not Name.objects.filter(text=language).exists():
            return language


class _Walker:
    """One visitor, new each time."""

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
        self._spool = Spool(scene)
        self._end = self._spool.end

    def walk(self) -> None:
        """All of it, with the tables looked at in between."""
        first, second = (path or f"/{self._mark['path']}{number}" for number, path in enumerate(self._paths))
        self._look()
        self._view("first", first)
        self._look()
        started = time.monotonic()
        for _ in range(AGAIN - 1):
            self._view("again", first)
            wait_until_filed(self._spool.end)  # as on a quiet site: filed together, they would leave one trace for all
        self._look()
        self._do_nothing(time.monotonic() - started)
        self._view("second", second)
        self._hit("stayed", {"k": "t", "u": self._url(second), "s": str(SECONDS)})
        self._hit("left", {"k": "o", "u": self._url(second), "n": f"https://{self._mark['outbound']}.example.com/x"})
        self._view("third", f"/{self._mark['path']}/{self._mark['mail']}@example.org")
        self._look()
        ask(self._scene, self._told)
        fields = {"k": "v", "u": self._url(first)}
        self._hit("robot", fields, {"User-Agent": ROBOT})
        for program in self._scene.config.audience.products[:1]:
            self._hit("program", {"k": "p", "n": program, "v": self._mark["version"], "y": "linux"})
        self._hit("signal", fields, {"Sec-GPC": "1"})
        if choice := self._chosen():
            self._hit("choice", fields, {"Cookie": f"{self._mark['cookie']}=1; {choice}"})
        self._bring()
        if _published(self._scene) != self._plan:
            raise NotTried(_CHANGED)

    def _chosen(self) -> str:
        """What a browser sends along with a hit once its visitor chose not to be counted; nothing where it has nothing
        to send from each page that is counted."""
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

    def _bring(self) -> None:
        """The page with an e-mail address in it, by so many visitors that its name may be written."""
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
            user_agents.told(headers["User-Agent"]).dropped and kind != "robot"
        ):  # the marks happen to spell a robot's name
            raise NotTried("A test visitor was mistaken for a robot; the next run uses another one.")
        answer = (front or self._front).hit(urlencode(fields).encode(), headers)
        if answer.status != 204:
            raise NotTried(f"The public server did not count a test visitor ({answer.status}).")
        frames, stray = self._spool.fresh()
        self._told.hits.append(Hit(kind, answer, frames))
        self._told.stray += stray

    def _look(self) -> None:
        """The tables, once what came in so far is filed."""
        self._told.books.append(filed_up_to(self._spool.end))
        with suppress(OSError):
            self._told.lines.append(file_scan.count_lines(self._scene))

    def _do_nothing(self, seconds: float) -> None:
        """Where something grew with each hit, see whether it grows without them."""
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
"""The header by which fronts know these hits."""
SHOWN = (Dim.PAGE, Dim.SOURCE, Dim.DEVICE)
_MARKS = ("agent", "path", "mail", "referrer", "before", "query", "campaign", "outbound", "cookie", "version")


def ask(scene: Scene, visit: SiteVisit) -> None:
    """The office's questions and the tables, at one moment: of the walk, or in a quick run of the figures."""
    today = clock.now().astimezone(scene.config.zone).date()
    day = today.toordinal()
    visit.today = day if scene.light else day_of_proofs(day)
    with nullcontext() if scene.light else of_proofs(), one_moment():
        visit.shown_views = {
            dim: sum(row.totals.views for row in top(Period(today, today), dim, limit=_ALL)) for dim in SHOWN
        }
        visit.stored_rows = rows_of(visit.today)
        visit.taken_out = bool(within(Period(today, today)))


def _published(scene: Scene) -> dict[str, Any]:
    """What the fronts were told of counting."""
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

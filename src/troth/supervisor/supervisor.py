"""The supervisor: it starts every process, keeps each of them alive, and ends them in the right order.

It binds the listeners, makes the socket pairs and the two secrets that live only in memory, and hands each child
exactly what it needs. It reads `troth.toml`, parses nothing that a visitor sent, and opens no connection. It is the
only process that may start another: front, clerk, worker and office can neither fork nor execute (WALL 1).

Started as root it keeps, once everybody has their folders, what it takes to become another user and to signal them. In
`data/`, which is others', it goes about as their user (`supervisor.safe_write`).
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from troth.core import restore_marker
from troth.core.config import sections as settings
from troth.core.config.load import load_config, overlay
from troth.core.disk import open_plain
from troth.core.entry import Kind
from troth.core.errors import TrothError
from troth.core.sandbox import restrict
from troth.core.site import Site
from troth.supervisor import ports, sockets, users
from troth.supervisor.brief import Brief, pack
from troth.supervisor.day_keys import Days
from troth.supervisor.log_pipes import Pipe, Pipes
from troth.supervisor.policy_copy import Mirror
from troth.supervisor.safe_write import User
from troth.supervisor.status_file import Seen, Timetable, Watch, where_it_logs

_MIB = 1 << 20
_STEADY_SECONDS = 1.0
"""A child that served this long and died is started again at once."""
_LONGEST_WAIT, _MIGRATE_SECONDS = 10.0, 600.0
_EX_CONFIG = 78
_PATIENCE = {"front": 10.0, "clerk": 10.0, "worker": 30.0, "office": 10.0}
"""How long each may take to finish what it has in hand before it is killed."""
_READ_SETTINGS = ("migrate", "worker", "office")
_SENDS = ("migrate", "worker")
_ERRAND_SECONDS = {"prove": 1800.0, "alarm": 300.0}
"""How long what does one thing and ends may take before it is killed: while one hangs, none comes after it."""
_STOP_ORDER = ("front", "office", "clerk", "worker")
"""First nothing new comes in, then what came is kept, then what is in hand is finished."""


@dataclass(slots=True)
class Child:
    """One process and what is known of it."""

    brief: Brief
    inherits: list[int]
    process: subprocess.Popen[bytes] | None = None
    says: Pipe | None = None
    ready_pipe: int | None = None
    ready_at: float | None = None
    failures: int = 0
    start_at: float = 0.0
    served: bool = field(default=False)
    """Whether it ever said that it serves."""
    restarts: int = 0
    changed_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    """When it last began to serve, or died."""
    must_end_at: float | None = None
    """When it is killed, where it has a limit."""

    @property
    def name(self) -> str:
        """As logs name it."""
        return f"front {self.brief.number}" if self.brief.role == "front" else self.brief.role

    def seen(self) -> Seen:
        """As the office shows it."""
        pid = self.process.pid if self.process else 0
        return Seen(self.name, self.ready_at is not None, self.changed_ms, self.restarts, pid)


class Supervisor:
    """The processes of one site. Use from the main thread: it takes over SIGTERM, SIGINT and SIGCHLD.

    `one_user`: do not change users although root. `quiet`: children write to `troth.log` in the site's folder.
    """

    def __init__(self, site_root: Path, *, quiet: bool = False, one_user: bool = False) -> None:
        self.site = Site(site_root.resolve())
        self.config = load_config(self.site.config)
        self._quiet = quiet
        self._log = sys.stderr.fileno()
        self._as_users = os.geteuid() == 0 and not one_user
        self._children: list[Child] = []
        self._open: list[socket.socket] = []
        self._doors: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._fatal: TrothError | None = None
        self._logs = Pipes(self._selector, self._put)
        self._look_from(None)
        self._errands: list[Child] = []
        restrict.no_dumps()  # V1: the key of the day is in here from now on
        self._days = Days(self.config.audience.timezone)

    def start(self) -> None:
        """Prepare the site, then start every process. Raises `TrothError` where that cannot be."""
        if self._quiet:
            self._log = open_plain(self.site.root / "troth.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        sockets.only_grows(self._log)
        self._listen_to_signals()
        self._check_folders()
        users.share(self.site)
        who = self._users()
        self._look_from(who.get("worker"))
        desks = self._listeners()
        self._say_who(bool(who))
        if who:  # from here on root becomes others and ends them, and is no more than anybody else for the rest
            restrict.keep_capabilities(restrict.CAP_SETUID, restrict.CAP_SETGID, restrict.CAP_KILL)
        self._migrate(who)
        self._mirror.follow()
        self._children = self._plan(desks, who)
        for child in self._children:
            self._spawn(child)

    def _look_from(self, user: User | None) -> None:
        """Look around in `data/` as `user`, whose folder it is; None where it is our own."""
        self._watch = Watch(self.site.data, self.config.office.silent_minutes, self._log, user)
        self._timetable = Timetable(self.site.data, self.config.promises.prove_minutes, user)
        self._mirror = Mirror(self.site.policy, self.site.policy_copy, user)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once every process serves. Raises `TrothError` where one cannot, or not in `timeout` seconds."""
        until = time.monotonic() + timeout
        while not all(child.served for child in self._children):
            if self._fatal:
                raise self._fatal
            if self._stopping:
                raise TrothError("Stopped before everything was up.")
            if time.monotonic() > until:
                late = ", ".join(child.name for child in self._children if not child.served)
                raise TrothError(f"Not ready after {timeout:.0f} s: {late}.", mend="Its last lines in the log say why.")
            self._turn()

    def run(self) -> int:
        """Keep everything alive until SIGTERM or SIGINT, then end it. Returns an exit code."""
        while not self._stopping and not self._fatal:
            self._turn()
        self.stop()
        if self._fatal:
            raise self._fatal
        return 0

    def stop(self) -> None:
        """End every process, in the order that loses nothing. Safe to call twice."""
        self._stopping = True
        for errand in self._errands:
            if errand.process and errand.process.poll() is None:
                self._signal(errand, signal.SIGTERM)
                self._await_end(errand, time.monotonic() + _PATIENCE["worker"])
            self._hear_out(errand)
        self._errands = []
        for role in _STOP_ORDER:
            ending = [child for child in self._children if child.brief.role == role and child.process]
            for child in ending:
                self._signal(child, signal.SIGTERM)
            until = time.monotonic() + _PATIENCE[role]
            for child in ending:
                self._await_end(child, until)
        signal.set_wakeup_fd(-1)  # before its socket goes: signals still come
        for held in self._open:
            held.close()
        self._open.clear()
        self._days.close()

    # -- preparing ------------------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        wake, write = socket.socketpair()
        wake.setblocking(False)
        write.setblocking(False)
        self._open += [wake, write]
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        self._selector.register(wake, selectors.EVENT_READ, self._drain)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _check_folders(self) -> None:
        site = self.site
        restore_marker.check(site)
        restore_marker.clear(site)
        for folder in (site.keys, site.data, site.spool, site.public, site.people_keys):
            if not folder.is_dir():
                raise TrothError(f"{folder} is missing.", mend=site.mend_of(folder))

    def _users(self) -> dict[str, User]:
        if not self._as_users:
            return {}
        who, left = prepare(self.site)
        for line in left:
            self._say(f"{line}. Look at it, and remove it if it is none of yours")
        return who

    def _say_who(self, own_users: bool) -> None:
        if own_users:
            self._say("each process runs as a user of its own")
        else:
            self._say("all processes run as one user: seccomp and Landlock are the only fences between them")

    def _listeners(self) -> dict[str, socket.socket]:
        front, office = self.config.front.listen, self.config.office.listen
        self._doors = sockets.listeners(*settings.host_port(front), "front", self.config.front.workers)
        self._open += self._doors
        made = {"office": sockets.listener(*settings.host_port(office), "office")}
        self._open.append(made["office"])
        if self.config.office.metrics_listen:
            made["metrics"] = sockets.listener(*settings.host_port(self.config.office.metrics_listen), "office")
            self._open.append(made["metrics"])
        return made

    def _migrate(self, who: dict[str, User]) -> None:
        child = Child(self._brief("migrate", who.get("worker")), [])
        self._spawn(child)
        ended = self._ends(child, time.monotonic() + _MIGRATE_SECONDS)
        self._hear_out(child)
        if not ended or child.process is None or child.process.returncode != 0:
            raise TrothError(
                "The database could not be brought up to date.",
                mend="The lines above say why; `troth doctor` says more.",
            )

    # -- what each child is told ----------------------------------------------------------------------------------

    def _brief(self, role: str, user: User | None) -> Brief:
        return Brief(
            role=role,
            public=str(self.site.public),
            site="" if role == "front" else str(self.site.root),
            path=import_path()[:1] if role == "clerk" else import_path(),  # it needs no package
            sandbox=self.config.front.sandbox,
            parent=os.getpid(),
            terminal=os.isatty(self._log),
            user=user.ident if user else None,
            groups=user.groups if user else [],
            fronts=self.config.front.workers,
            settings=overlay(os.environ) if role in _READ_SETTINGS else {},
            ports=ports.of_worker(self.config) if role in _SENDS else [],
        )

    def _plan(self, listeners: dict[str, socket.socket], who: dict[str, User]) -> list[Child]:
        """The children, in the order in which they start: who keeps before who takes."""
        pairs = [sockets.pair() for _ in range(self.config.front.workers)]
        clerk_end, worker_end = sockets.pair()
        self._open += [clerk_end, worker_end, *(end for ends in pairs for end in ends)]
        clerk_lines = [ends[0].fileno() for ends in pairs]
        told: Callable[[str], Brief] = lambda role: self._brief(role, who.get(role))  # noqa: E731
        clerk = replace(told("clerk"), lines=clerk_lines, clerk=clerk_end.fileno(), quotas=self._quotas())
        worker = replace(told("worker"), clerk=worker_end.fileno())
        desks = {name: made.fileno() for name, made in listeners.items()}
        office = replace(
            told("office"), listener=desks["office"], metrics=desks.get("metrics"), ports=ports.of_database(self.config)
        )
        children = [
            Child(clerk, [*clerk_lines, clerk_end.fileno()]),
            Child(worker, [worker_end.fileno()]),
            Child(office, [*desks.values()]),
        ]
        secrets = {"altcha": os.urandom(32).hex(), "buckets": os.urandom(32).hex()}
        meshed = sockets.mesh(len(pairs))
        self._open += [end for ends in meshed for end in ends if end]
        for number, (_, end) in enumerate(pairs):
            own = [self._doors[number].fileno(), end.fileno()]
            front = replace(told("front"), listener=own[0], clerk=own[1], number=number, secrets=secrets)
            peers = [other.fileno() if other else None for other in meshed[number]]
            inherits = [*own, *(one for one in peers if one is not None)]
            children.append(Child(replace(front, peers=peers), inherits))
        return children

    def _quotas(self) -> dict[int, int]:
        return {
            int(Kind.SIGNUP): self.config.spool.signup_mib * _MIB,
            int(Kind.LINK): self.config.spool.link_mib * _MIB,
            int(Kind.MESSAGE): self.config.spool.message_mib * _MIB,
            int(Kind.RIGHTS): self.config.spool.rights_mib * _MIB,
            int(Kind.HITS): self.config.spool.hits_mib * _MIB,
        }

    # -- keeping alive --------------------------------------------------------------------------------------------

    def _spawn(self, child: Child) -> None:
        told, tell = os.pipe()
        ready, say_ready = os.pipe()
        brief, more = replace(child.brief, ready=say_ready), list[int]()
        if brief.role == "front":
            brief, more = self._days.told(brief)
            brief, more = self._with_countries(brief, more)
        code = (
            f"import sys; sys.path.insert(0, {str(source())!r}); from troth.supervisor.child import main; main({told})"
        )
        child.says = self._logs.open(child.name)
        says, heard = child.says.ends()
        try:
            child.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
                [sys.executable, "-I", "-S", "-B", "-c", code],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=says,
                stderr=says,
                pass_fds=[told, say_ready, heard, *child.inherits, *more],
                start_new_session=True,
            )
        finally:
            for given in (told, say_ready, says, heard, *more):
                os.close(given)
        with suppress(BrokenPipeError), os.fdopen(tell, "wb") as pipe:
            pipe.write(pack(brief))
        child.ready_pipe, child.ready_at = ready, None
        self._selector.register(ready, selectors.EVENT_READ, lambda: self._hear_ready(child))

    def _with_countries(self, brief: Brief, more: list[int]) -> tuple[Brief, list[int]]:
        """Hand the database of countries over as it lies there now: a front can open no file but its code's."""
        if not self.config.audience.country_database:
            return brief, more
        try:
            opened = os.open(self.config.audience.country_database, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._say(f"the database of countries cannot be read ({os.strerror(error.errno or 0)}): there are none")
            return brief, more
        return replace(brief, countries=opened), [*more, opened]

    def _turn(self, longest: float = 1.0) -> None:
        """Wait for a signal, a word from a child, or the time to start one; `longest` seconds at most. Act on it."""
        waiting = [child.start_at for child in self._children if child.process is None]
        timeout = max(0.0, min(waiting) - time.monotonic()) if waiting else longest
        self._listen(min(timeout, longest))
        for child in self._children:
            if child.process and child.process.poll() is not None:
                self._bury(child)
            if child.process is None and not self._stopping and time.monotonic() >= child.start_at:
                self._spawn(child)
        self._look_around()

    def _listen(self, seconds: float) -> None:
        """Wait so long at most for a signal or a word, and act on what came."""
        for key, _ in self._selector.select(min(seconds, self._logs.wake())):
            key.data()

    def _hear_out(self, child: Child) -> None:
        """Bring into the log what a process that has ended said last."""
        if child.says is not None:
            self._logs.close(child.says)
            child.says = None

    def _look_around(self) -> None:
        """Write down how the children are; send for help where the worker has gone silent."""
        self._watch.write([child.seen() for child in self._children])
        self._mirror.follow()
        self._days.follow()
        self._follow_errands()
        word = self._watch.alarm()
        if word:
            self._say(f"the worker is {'silent' if word == 'silent' else 'heard again'}; telling the operators")
            self._send_out("alarm", word)
        if all(child.ready_at for child in self._children) and not self._running("prove"):
            word = self._timetable.due()
            if word:
                self._send_prover(word)

    def _follow_errands(self) -> None:
        """Forget those that ended; kill those that should have, with all that they started."""
        for errand in [one for one in self._errands if one.process and one.process.poll() is not None]:
            self._hear_out(errand)
            self._errands.remove(errand)
        for errand in self._errands:
            if errand.process and errand.must_end_at is not None and time.monotonic() > errand.must_end_at:
                minutes = _ERRAND_SECONDS[errand.brief.role] / 60
                self._say(
                    f"the {errand.name} had not ended after {minutes:.0f} minutes and was killed; the next one is tried"
                )
                with suppress(ProcessLookupError):
                    os.killpg(errand.process.pid, signal.SIGKILL)  # each leads a session of its own
                errand.process.wait()

    def _running(self, role: str) -> bool:
        return any(one.brief.role == role for one in self._errands)

    def _send_prover(self, word: str) -> None:
        """It may connect to the front, the database and a mail relay of its own, whose listener it inherits; and read
        the journal, where we log there."""
        with socket.create_server(("127.0.0.1", 0)) as relay:
            front = settings.host_port(self.config.front.listen)[1]
            reach = [front, *ports.of_database(self.config), relay.getsockname()[1]]
            self._send_out("prove", word, ports=reach, listener=relay.fileno(), looks=self._beside(), journal=True)

    def _beside(self) -> list[str]:
        """What lies outside of the site's folder and is ours: the log's folder or the journal, and the backups."""
        place = where_it_logs(self._log)
        logs = ["/run/log/journal", "/var/log/journal"] if place.startswith("journal") else []
        logs += [str(Path(place).parent)] if place.startswith("/") else []
        return [*logs, *([self.config.backup.folder] if self.config.backup.folder else [])]

    def _send_out(self, role: str, word: str, *, journal: bool = False, **told: Any) -> None:
        """Start a process that does one thing and ends. It is the worker's user, and is not started again."""
        worker = next(child.brief for child in self._children if child.brief.role == "worker")
        groups = users.journal_readers() if journal and self._as_users and where_it_logs(self._log) else []
        brief = replace(worker, role=role, clerk=None, word=word, groups=[*worker.groups, *groups], **told)
        errand = Child(brief, [] if brief.listener is None else [brief.listener])
        errand.must_end_at = time.monotonic() + _ERRAND_SECONDS[role]
        self._spawn(errand)
        self._errands.append(errand)

    def _steer(self) -> None:
        """Have visitors come to the fronts that serve; who waits for another one is answered when it is back."""
        fronts = [child for child in self._children if child.brief.role == "front"]
        sockets.steer(self._doors, [child.brief.number for child in fronts if child.ready_at is not None])

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._open[0].recv(4096):
                pass

    def _hear_ready(self, child: Child) -> None:
        assert child.ready_pipe is not None
        if os.read(child.ready_pipe, 1):
            child.ready_at, child.served = time.monotonic(), True
            child.changed_ms = time.time_ns() // 1_000_000
            self._steer()
        self._selector.unregister(child.ready_pipe)
        os.close(child.ready_pipe)
        child.ready_pipe = None

    def _bury(self, child: Child) -> None:
        assert child.process is not None
        code = child.process.returncode
        if child.ready_pipe is not None:
            self._hear_ready(child)
        self._hear_out(child)
        child.process = None
        child.changed_ms, child.restarts = time.time_ns() // 1_000_000, child.restarts + 1
        if self._stopping:
            return
        if code == _EX_CONFIG:
            self._fatal = TrothError(
                f"The {child.name} cannot start as the site is set up; its last line above says why."
            )
            return
        steady = child.ready_at is not None and time.monotonic() - child.ready_at >= _STEADY_SECONDS
        child.failures = 0 if steady else child.failures + 1
        wait = 0.0 if steady else min(_LONGEST_WAIT, 0.05 * 2 ** min(child.failures, 10))
        child.start_at, child.ready_at = time.monotonic() + wait, None
        self._steer()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._say(f"the {child.name} {how}; starting it again{f' in {wait:.1f} s' if wait else ''}")

    # -- ending ---------------------------------------------------------------------------------------------------

    def _signal(self, child: Child, number: signal.Signals) -> None:
        assert child.process is not None
        with suppress(ProcessLookupError):
            child.process.send_signal(number)

    def _await_end(self, child: Child, until: float) -> None:
        assert child.process is not None
        if not self._ends(child, max(until, time.monotonic() + 0.1)):
            self._say(f"the {child.name} did not end in time and was killed; what it had acknowledged is safe")
            self._signal(child, signal.SIGKILL)
            child.process.wait()
        self._hear_out(child)
        child.process = None

    def _ends(self, child: Child, until: float) -> bool:
        """Wait for its end until then, and hear meanwhile what everybody says; returns whether it came."""
        assert child.process is not None
        while child.process.poll() is None:
            if time.monotonic() > until:
                return False
            self._listen(0.05)
        return True

    def processes(self) -> dict[str, int]:
        """Process ids by name, of those that live."""
        return {child.name: child.process.pid for child in self._children if child.process}

    def _say(self, what: str) -> None:
        self._put(f"troth: {what}\n".encode())

    def _put(self, line: bytes) -> None:
        with suppress(OSError):  # a full disk and a log that nobody reads any more end nobody
            os.write(self._log, line)


def source() -> Path:
    """The folder that our packages lie in."""
    return Path(__file__).resolve().parents[2]


def import_path() -> list[str]:
    """Where packages are imported from: our code, then the folders of this interpreter's packages."""
    places = [str(source()), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return list(dict.fromkeys(str(Path(place).resolve()) for place in places))


def prepare(site: Site) -> tuple[dict[str, User], list[str]]:
    """Make the users, see that they can run Troth, and give each part of the site's folder to those who use it. Returns
    the users, and in words what was left as it is because it is none of ours."""
    who = users.ensure()
    users.check_reach(who, source())
    left = users.settle(site, who)
    users.check_site(who, site)
    return who, left


def prepare_only(site_root: Path) -> None:
    """`troth serve --prepare`: what a start does as root before anything runs, and the backup folder besides, for a
    service that may do none of it itself. Raises `TrothError`."""
    site = Site(site_root.resolve())
    configured = load_config(site.config)
    if os.geteuid() != 0:
        raise TrothError("Only root can make users and give files away.", mend="Run it as root.")
    restore_marker.check(site)
    users.share(site)
    who, _ = prepare(site)
    if configured.backup.folder:
        users.let_look(Path(configured.backup.folder), who["worker"])


def serve(site_root: Path, *, one_user: bool = False) -> int:
    """`troth serve`: run the site until SIGTERM or SIGINT. Returns an exit code."""
    supervisor = Supervisor(site_root, one_user=one_user)
    try:
        supervisor.start()
        supervisor.wait_ready()
        supervisor._say(f"serving {supervisor.config.site.url} from {supervisor.config.front.listen}")
        supervisor._say(f"the office is at {supervisor.config.office.url}")
        _notify("READY=1")
        return supervisor.run()
    finally:
        supervisor.stop()


def _notify(word: str) -> None:
    """Tell systemd, where it started us (sd_notify(3)): one datagram to the socket that it named."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if place:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(word.encode(), f"\0{place[1:]}" if place.startswith("@") else place)

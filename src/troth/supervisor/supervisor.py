"""The supervisor: it starts every process, keeps each of them alive, and ends them in the right order.

It binds the listeners, makes the socket pairs and the two secrets that live only in memory, and hands each child
exactly what it needs. It reads `troth.toml`, parses nothing that a visitor sent, and opens no connection. It is the
only process that may start another (WALL 1). Started as root it keeps what it takes to become another user and to
signal them; in `data/`, which is others', it acts as their user (`supervisor.safe_write`).
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

from troth.core.config import sections as settings
from troth.core.config.load import load_config, overlay
from troth.core.disk import open_plain
from troth.core.entry import Kind
from troth.core.errors import TrothError
from troth.core.sandbox import restrict
from troth.core.site import Site
from troth.core.site_files import restore_marker
from troth.supervisor import ports, sockets, users
from troth.supervisor.brief import Brief, pack
from troth.supervisor.day_keys import Days
from troth.supervisor.log_pipes import Pipe, Pipes
from troth.supervisor.policy_copy import Mirror
from troth.supervisor.roles import BY_NAME, STOP_ORDER, label_of
from troth.supervisor.safe_write import User
from troth.supervisor.status_file import ChildStatus, LookupTimetable, StatusFile, Timetable, where_it_logs

_MIB = 1 << 20
_STEADY_SECONDS = 1.0
"""A child that served this long and died is started again at once."""
_LONGEST_WAIT = 10.0
_EX_CONFIG = 78


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

    @property
    def label(self) -> str:
        """What people read."""
        return label_of(self.name)

    def seen(self) -> ChildStatus:
        """Return its status, as the admin server shows it."""
        pid = self.process.pid if self.process else 0
        return ChildStatus(self.name, self.ready_at is not None, self.changed_ms, self.restarts, pid)


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
        by_role = self._users()
        self._look_from(by_role.get("worker"))
        desks = self._listeners()
        self._say_who(bool(by_role))
        if by_role:  # from here on root becomes others and ends them, and is no more than anybody else for the rest
            restrict.keep_capabilities(restrict.CAP_SETUID, restrict.CAP_SETGID, restrict.CAP_KILL)
        self._migrate(by_role)
        self._mirror.follow()
        self._children = self._plan(desks, by_role)
        for child in self._children:
            self._spawn(child)

    def _look_from(self, user: User | None) -> None:
        """Look around in `data/` as `user`, whose folder it is; None where it is our own."""
        self._watch = StatusFile(self.site.data, self.config.office.silent_minutes, self._log, user)
        self._timetable = Timetable(self.site.data, self.config.promises.prove_minutes, user)
        self._lookups = LookupTimetable(self.site.data, user, enabled=self.config.checks_dns)
        self._mirror = Mirror(self.site.policy, self.site.policy_copy, user)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once every process serves. Raises `TrothError` where one cannot, or not in `timeout` seconds."""
        until = time.monotonic() + timeout
        while not all(child.served for child in self._children):
            if self._fatal:
                raise self._fatal
            if self._stopping:
                raise TrothError("Stopped before every process was running.")
            if time.monotonic() > until:
                late = ", ".join(child.label for child in self._children if not child.served)
                raise TrothError(f"Not ready after {timeout:.0f} s: {late}.", mend="See its last lines in the log.")
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
                self._await_end(errand, time.monotonic() + BY_NAME["worker"].seconds)
            self._hear_out(errand)
        self._errands = []
        for role in STOP_ORDER:
            ending = [child for child in self._children if child.brief.role == role and child.process]
            for child in ending:
                self._signal(child, signal.SIGTERM)
            until = time.monotonic() + BY_NAME[role].seconds
            for child in ending:
                self._await_end(child, until)
        signal.set_wakeup_fd(-1)  # before its socket goes: signals still come
        for end in self._open:
            end.close()
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
        by_role, untouched = prepare(self.site)
        for line in untouched:
            self._say(f"{line}. Check it, and remove it if it isn't yours")
        return by_role

    def _say_who(self, own_users: bool) -> None:
        if own_users:
            self._say("each process runs as its own system user")
        else:
            self._say("all processes run as one user: only seccomp and Landlock isolate them from each other")

    def _listeners(self) -> dict[str, socket.socket]:
        front, office = self.config.front.listen, self.config.office.listen
        self._doors = sockets.listeners(*settings.host_port(front), "front", self.config.front.workers)
        self._open += self._doors
        listeners = {"office": sockets.listener(*settings.host_port(office), "office")}
        self._open.append(listeners["office"])
        if self.config.office.metrics_listen:
            listeners["metrics"] = sockets.listener(*settings.host_port(self.config.office.metrics_listen), "office")
            self._open.append(listeners["metrics"])
        return listeners

    def _migrate(self, by_role: dict[str, User]) -> None:
        child = Child(self._brief("migrate", by_role), [])
        self._spawn(child)
        ended = self._ends(child, time.monotonic() + BY_NAME["migrate"].seconds)
        self._hear_out(child)
        if not ended or child.process is None or child.process.returncode != 0:
            raise TrothError(
                "The database could not be prepared.",
                mend="See the lines above; `troth doctor` says more.",
            )

    # -- what each child is told ----------------------------------------------------------------------------------

    def _brief(self, name: str, by_role: dict[str, User]) -> Brief:
        role = BY_NAME[name]
        user = by_role.get(role.user)
        return Brief(
            role=name,
            public=str(self.site.public),
            site=str(self.site.root) if role.sees_site else "",
            path=import_path() if role.uses_packages else import_path()[:1],
            sandbox=self.config.front.sandbox,
            parent=os.getpid(),
            terminal=os.isatty(self._log),
            user=user.ident if user else None,
            groups=user.groups if user else [],
            fronts=self.config.front.workers,
            settings=overlay(os.environ) if role.reads_environment else {},
            ports=ports.of(role, self.config),
        )

    def _plan(self, listeners: dict[str, socket.socket], by_role: dict[str, User]) -> list[Child]:
        """Return the children in the order in which they start: those that store before those that accept."""
        pairs = [sockets.pair() for _ in range(self.config.front.workers)]
        clerk_end, worker_end = sockets.pair()
        self._open += [clerk_end, worker_end, *(end for ends in pairs for end in ends)]
        clerk_lines = [ends[0].fileno() for ends in pairs]
        brief_of: Callable[[str], Brief] = lambda role: self._brief(role, by_role)  # noqa: E731
        clerk = replace(brief_of("clerk"), lines=clerk_lines, clerk=clerk_end.fileno(), quotas=self._quotas())
        worker = replace(brief_of("worker"), clerk=worker_end.fileno())
        desks = {name: listener.fileno() for name, listener in listeners.items()}
        office = replace(brief_of("office"), listener=desks["office"], metrics=desks.get("metrics"))
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
            front = replace(brief_of("front"), listener=own[0], clerk=own[1], number=number, secrets=secrets)
            peers = [peer.fileno() if peer else None for peer in meshed[number]]
            inherits = [*own, *(peer for peer in peers if peer is not None)]
            children.append(Child(replace(front, peers=peers), inherits))
        return children

    def _quotas(self) -> dict[int, int]:
        return {int(kind): getattr(self.config.spool, f"{kind.name.lower()}_mib") * _MIB for kind in Kind}

    # -- keeping alive --------------------------------------------------------------------------------------------

    def _spawn(self, child: Child) -> None:
        orders, tell = os.pipe()
        ready, say_ready = os.pipe()
        brief, more = replace(child.brief, ready=say_ready), list[int]()
        if brief.role == "front":
            brief, more = self._days.brief_with_key(brief)
            brief, more = self._with_countries(brief, more)
        code_path = f"import sys; sys.path.insert(0, {str(source())!r})"
        code = f"{code_path}\nfrom troth.supervisor.child import main; main({orders})"
        child.says = self._logs.open(child.label)
        says, heard = child.says.ends()
        try:
            child.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
                [sys.executable, "-I", "-S", "-B", "-c", code],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=says,
                stderr=says,
                pass_fds=[orders, say_ready, heard, *child.inherits, *more],
                start_new_session=True,
            )
        finally:
            for descriptor in (orders, say_ready, says, heard, *more):
                os.close(descriptor)
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
            self._say(
                f"the country database can't be read ({os.strerror(error.errno or 0)}): countries are not counted"
            )
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
        self._days.roll_over()
        self._follow_errands()
        word = self._watch.alarm()
        if word:
            state = "has stopped responding" if word == "silent" else "responds again"
            self._say(f"the worker {state}; emailing the operators")
            self._send_out("alarm", word)
        if all(child.ready_at for child in self._children) and not self._running("prove"):
            word = self._timetable.due()
            if word:
                self._send_prover(word)
        if all(child.ready_at for child in self._children) and not self._running("dns") and self._lookups.due():
            self._send_out("dns", "", ports=ports.of(BY_NAME["dns"], self.config))

    def _follow_errands(self) -> None:
        """Forget those that ended; kill those that should have, with all that they started."""
        for errand in [task for task in self._errands if task.process and task.process.poll() is not None]:
            self._hear_out(errand)
            self._errands.remove(errand)
        for errand in self._errands:
            if errand.process and errand.must_end_at is not None and time.monotonic() > errand.must_end_at:
                minutes = BY_NAME[errand.brief.role].seconds / 60
                self._say(
                    f"the {errand.label} had not finished after {minutes:.0f} minutes and was killed; it will run again"
                )
                with suppress(ProcessLookupError):
                    os.killpg(errand.process.pid, signal.SIGKILL)  # each leads a session of its own
                errand.process.wait()

    def _running(self, role: str) -> bool:
        return any(task.brief.role == role for task in self._errands)

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

    def _send_out(self, role: str, word: str, *, journal: bool = False, **orders: Any) -> None:
        """Start a process that does one thing and ends. It is the worker's user, and is not started again."""
        worker = next(child.brief for child in self._children if child.brief.role == "worker")
        groups = users.journal_readers() if journal and self._as_users and where_it_logs(self._log) else []
        brief = replace(worker, role=role, clerk=None, word=word, groups=[*worker.groups, *groups], **orders)
        errand = Child(brief, [] if brief.listener is None else [brief.listener])
        errand.must_end_at = time.monotonic() + BY_NAME[role].seconds
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
                f"The {child.label} can't start with this site's settings; see its last line above."
            )
            return
        steady = child.ready_at is not None and time.monotonic() - child.ready_at >= _STEADY_SECONDS
        child.failures = 0 if steady else child.failures + 1
        wait = 0.0 if steady else min(_LONGEST_WAIT, 0.05 * 2 ** min(child.failures, 10))
        child.start_at, child.ready_at = time.monotonic() + wait, None
        self._steer()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        self._say(f"the {child.label} {how}; restarting{f' in {wait:.1f} s' if wait else ''}")

    # -- ending ---------------------------------------------------------------------------------------------------

    def _signal(self, child: Child, number: signal.Signals) -> None:
        assert child.process is not None
        with suppress(ProcessLookupError):
            child.process.send_signal(number)

    def _await_end(self, child: Child, until: float) -> None:
        assert child.process is not None
        if not self._ends(child, max(until, time.monotonic() + 0.1)):
            self._say(f"the {child.label} did not stop in time and was killed; nothing acknowledged is lost")
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
        """Return the process ids of running children, by name."""
        return {child.name: child.process.pid for child in self._children if child.process}

    def _say(self, message: str) -> None:
        self._put(f"troth: {message}\n".encode())

    def _put(self, line: bytes) -> None:
        with suppress(OSError):  # a full disk and a log that nobody reads any more end nobody
            os.write(self._log, line)


def source() -> Path:
    """Return the folder that contains the package `troth`."""
    return Path(__file__).resolve().parents[2]


def import_path() -> list[str]:
    """Return where packages are imported from: our code, then the folders of this interpreter's packages."""
    places = [str(source()), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return list(dict.fromkeys(str(Path(place).resolve()) for place in places))


def prepare(site: Site) -> tuple[dict[str, User], list[str]]:
    """Make the users, see that they can run Troth, and give each part of the site's folder to those who use it. Returns
    the users, and in words what was left as it is because it is none of ours."""
    by_role = users.ensure()
    users.check_reach(by_role, source())
    untouched = users.settle(site, by_role)
    users.check_site(by_role, site)
    return by_role, untouched


def prepare_only(site_root: Path) -> None:
    """`troth serve --prepare`: what a start does as root before anything runs, and the backup folder besides, for a
    service that may do none of it itself. Raises `TrothError`."""
    site = Site(site_root.resolve())
    configured = load_config(site.config)
    if os.geteuid() != 0:
        raise TrothError("Only root can create users and change file owners.", mend="Run it as root.")
    restore_marker.check(site)
    users.share(site)
    by_role, _ = prepare(site)
    if configured.backup.folder:
        users.let_look(Path(configured.backup.folder), by_role["worker"])


def serve(site_root: Path, *, one_user: bool = False) -> int:
    """Run the site until SIGTERM or SIGINT (`troth serve`). Return an exit code."""
    supervisor = Supervisor(site_root, one_user=one_user)
    try:
        supervisor.start()
        supervisor.wait_ready()
        supervisor._say(f"serving {supervisor.config.site.url} from {supervisor.config.front.listen}")
        supervisor._say(f"Admin is at {supervisor.config.office.url}")
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

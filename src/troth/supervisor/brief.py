"""What a child process is told at its start, through an inherited pipe and nowhere else. Standard library only: it is
read before the fence is up."""

import json
import os
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A child's orders. The front's carries no path but `public`."""

    role: str
    """The name of a row in `supervisor.roles`."""
    public: str
    """The folder with what the worker published."""
    site: str = ""
    """The site's folder; empty for the front."""
    path: list[str] = field(default_factory=list)
    """Where packages are imported from, once the fence is up."""
    listener: int | None = None
    """File descriptor of a bound, listening socket."""
    lines: list[int] = field(default_factory=list)
    """Clerk only: one end of a socket pair for each front, in their order."""
    clerk: int | None = None
    """Front and worker: one end of the socket pair to the clerk. Clerk: its end of the worker's."""
    number: int = 0
    """Which front this is, from 0."""
    fronts: int = 1
    """How many there are."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """Hex. Front: `altcha` (signs proof-of-work challenges), `buckets` (hashes addresses), both made anew at each
    start; `day`: the day's key (`supervisor.day_key`)."""
    peers: list[int | None] = field(default_factory=list)
    """Front only: one end of a socket pair to each other front, in their order; None for itself."""
    countries: int | None = None
    """Front only: the database of countries, open for reading."""
    keys: int | None = None
    """Front only: the pipe on which a new day's key comes."""
    sandbox: str = "enforce"
    """`enforce` or `best-effort`."""
    parent: int = 0
    """The supervisor's process id: a child whose parent is another one ends."""
    user: int | None = None
    """User id to become, where the supervisor runs as root."""
    settings: dict[str, str] = field(default_factory=dict, repr=False)
    """Worker, migrate and office: settings from the supervisor's environment, to lie over those of the file."""
    quotas: dict[int, int] = field(default_factory=dict)
    """Clerk only: bytes that may wait in the spool, for each kind of frame."""
    groups: list[int] = field(default_factory=list)
    """The groups of that user; what it makes belongs to the first."""
    ready: int | None = None
    """File descriptor on which the child says that it serves."""
    metrics: int | None = None
    """Office only: file descriptor of the listener for Prometheus."""
    terminal: bool = False
    """Whether people read along what it says."""
    word: str = ""
    """Alarm: what to tell; prove: `light` or `full`. A word from a closed list."""
    looks: list[str] = field(default_factory=list)
    """Prove only: what it looks through besides the site's folder: where the house logs, where backups lie."""
    ports: list[int] = field(default_factory=list)
    """TCP ports it may connect to, where the kernel can hold it to them (`supervisor.ports`)."""

    def tell_ready(self) -> None:
        """Say to the supervisor that this process serves. Once."""
        if self.ready is not None:
            os.write(self.ready, b"1")


def pack(brief: Brief) -> bytes:
    """Return the brief as JSON."""
    return json.dumps(asdict(brief)).encode()


def receive(descriptor: int) -> Brief:
    """Read a brief from `descriptor` to its end, and close it."""
    with os.fdopen(descriptor, "rb") as pipe:
        fields = json.load(pipe)
    fields["quotas"] = {int(kind): size for kind, size in fields["quotas"].items()}
    return Brief(**fields)

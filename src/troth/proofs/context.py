"""What a proof gets: the site, its settings, its own front, and canaries."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from troth.core.config.sections import Config
from troth.core.site import Site
from troth.gate.loopback.front_client import OwnFront
from troth.policy.promise import Verdict
from troth.proofs.instruments.canaries import CanaryPerson

_PATIENCE_LIGHT, _PATIENCE_FULL = 4, 35


@dataclass(frozen=True, slots=True)
class Scene:
    """One run of proofs."""

    site: Site
    config: Config
    canaries: tuple[CanaryPerson, ...]
    light: bool
    before: datetime | None = None
    """When the previous run ended."""
    listener: socket.socket | None = None
    """The socket of the proofs' own mail relay, if it was opened before the sandbox was taken."""
    output: str = ""
    """What this process printed and logged while the canaries were stored."""
    cards: list[str] = field(default_factory=list)
    """Card numbers that proofs submitted in this run; none of them may be stored."""
    reached: list[str] = field(default_factory=list)
    """Lines of code that tried to connect somewhere, in this process, since the canaries were stored."""
    shared: dict[str, Any] = field(default_factory=dict)
    """Results that several proofs use, such as the canary's visit."""
    fresh: list[str] = field(default_factory=list)
    """Names of shared results that were renewed in this run."""

    @property
    def front(self) -> OwnFront:
        """Return a client for the site's own front. Raises `DoorError` if the front does not listen on this machine."""
        return OwnFront(self.config, patience=_PATIENCE_LIGHT if self.light else _PATIENCE_FULL)

    def look_afresh(self) -> None:
        """Discard the test visit, so that the next proof makes another one; once in a run."""
        if "visited" not in self.fresh and self.shared.pop("visited", None) is not None:
            self.fresh.append("visited")

    @property
    def caller(self) -> CanaryPerson:
        """Return the canary that may submit forms."""
        return next(canary for canary in self.canaries if canary.frozen)


type Check = Callable[[Scene], Verdict]
FUNCTIONS: dict[str, Check] = {}


def proof(ident: str) -> Callable[[Check], Check]:
    """Register a function as the proof with this id in `policy.promises`."""

    def register(function: Check) -> Check:
        assert ident not in FUNCTIONS, f"two functions run {ident}"
        FUNCTIONS[ident] = function
        return function

    return register

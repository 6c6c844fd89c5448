"""What a proof is given: the site, its settings, its own front, and canaries that were planted for it."""

import socket
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from troth.core.config.sections import Config
from troth.core.site import Site
from troth.gate.loopback.front_client import OwnFront
from troth.proofs.instruments.canaries import Canary

_PATIENCE_LIGHT, _PATIENCE_FULL = 4, 35


@dataclass(frozen=True, slots=True)
class Scene:
    """One run of proofs."""

    site: Site
    config: Config
    canaries: tuple[Canary, ...]
    light: bool
    before: datetime | None = None
    """When the last run before this one ended."""
    listener: socket.socket | None = None
    """Where the proofs' own mail relay may listen, if that was opened before the fence."""
    output: str = ""
    """All that this process said and logged while the canaries were planted."""
    cards: list[str] = field(default_factory=list)
    """Card numbers that proofs of this run have typed somewhere: none of them may lie anywhere afterwards."""
    reached: list[str] = field(default_factory=list)
    """Lines of code that tried to reach somebody, in this process, since the canaries were planted."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What one proof found and others stand on: the call at the front."""
    fresh: list[str] = field(default_factory=list)
    """What was looked at afresh in this run."""

    @property
    def front(self) -> OwnFront:
        """The site's own front. Raises `DoorError` where it listens beyond this machine only."""
        return OwnFront(self.config, patience=_PATIENCE_LIGHT if self.light else _PATIENCE_FULL)

    def look_afresh(self) -> None:
        """Have the next proof that needs it send another invented visitor through the site: once in a run, for all."""
        if "visited" not in self.fresh and self.shared.pop("visited", None) is not None:
            self.fresh.append("visited")

    @property
    def caller(self) -> Canary:
        """The canary that may call at the front."""
        return next(canary for canary in self.canaries if canary.frozen)

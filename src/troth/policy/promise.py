"""Promises, proofs, verdicts, and the registry of all promises. A sentence of the policy names its promise's id;
controls name the code that keeps it, proofs test it against the running system and name the breach that they detect.
Standard library only."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ID = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")


class State(StrEnum):
    """State of a promise or a proof."""

    KEPT = "kept"
    """Tested at that time, in these ways, and not refuted."""
    BROKEN = "broken"
    UNPROVEN = "unproven"
    """It could not be tested, or was not tested yet."""
    STALE = "stale"
    """The last result is too old."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a proof. `detail` is our own text without personal data."""

    state: State
    detail: str

    @classmethod
    def kept(cls, detail: str) -> "Verdict":
        """Return the verdict that the promise was not refuted."""
        return cls(State.KEPT, detail)

    @classmethod
    def broken(cls, detail: str) -> "Verdict":
        """Return the verdict that the promise was refuted."""
        return cls(State.BROKEN, detail)

    @classmethod
    def unproven(cls, detail: str) -> "Verdict":
        """Return the verdict that it could not be tested."""
        return cls(State.UNPROVEN, detail)


@dataclass(frozen=True, slots=True)
class Control:
    """Code that keeps a promise: a description, and its place (`package.module:name`), which a test resolves."""

    description: str
    where: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One test of the running system. `proofs.registry` has its function."""

    id: str
    tried: str
    """How it is tested, for readers of the policy."""
    sees: str
    """The breach that it detects."""
    light: bool = True
    """Whether it runs every hour; others run once a day."""
    misses: str = ""
    """What it can't detect, for docs/proofs.md."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the policy."""

    id: str
    letter: str
    """Its short name in comments and docs/proofs.md, such as `C1`."""
    means: str
    """The promise in one sentence."""
    controls: tuple[Control, ...]
    proofs: tuple[Proof, ...]
    yourself: str
    """How visitors can check for themselves."""
    section: str = ""
    """A section of the settings, such as `shop`: only a site where it is enabled makes this promise. Empty: every site
    does."""

    def is_made_by(self, config: object) -> bool:
        """Return whether a site with these settings makes it."""
        return not self.section or bool(getattr(getattr(config, self.section), "enabled"))  # noqa: B009 - of any section


class Registry:
    """All promises of the code, in the order of the policy. A duplicate id raises `ValueError`."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        self._promises: dict[str, Promise] = {}
        for promise in promises:
            if promise.id in self._promises or not ID.fullmatch(promise.id):
                raise ValueError(f"the promise {promise.id} is a duplicate, or its id is invalid")
            self._promises[promise.id] = promise
        ids = [proof.id for promise in self for proof in promise.proofs]
        if len(set(ids)) < len(ids):
            raise ValueError("two proofs have the same id")

    def __iter__(self) -> Iterator[Promise]:
        return iter(self._promises.values())

    def __contains__(self, promise: object) -> bool:
        return promise in self._promises

    def __getitem__(self, promise: str) -> Promise:
        return self._promises[promise]

    @property
    def ids(self) -> list[str]:
        """Return all ids, in order."""
        return list(self._promises)

    def made_by(self, config: object) -> list[Promise]:
        """Return the promises that a site with these settings makes, in order."""
        return [promise for promise in self if promise.is_made_by(config)]


FRESH = timedelta(days=1)
"""How long a result counts as fresh."""
AHEAD = timedelta(minutes=2)
"""How far in the future a time may lie before the clock must have been set back."""


def joined(states: Iterable[State]) -> State:
    """Return the worst of its proofs' states as the state of a promise; unproven without any."""
    distinct = set(states)
    for worst in (State.BROKEN, State.UNPROVEN, State.STALE):
        if worst in distinct:
            return worst
    return State.KEPT if distinct else State.UNPROVEN

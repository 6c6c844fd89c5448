"""What a promise, a proof and a verdict are, and the registry of all promises.

A promise is a sentence's backing: its id stands in the policy's text, its controls say which code keeps it, its proofs
try it against the running system, and each proof names the breach that it would have seen. Standard library only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ID = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")


class State(StrEnum):
    """How a promise or a proof stands."""

    KEPT = "kept"
    """Tried then, in these ways, and not refuted."""
    BROKEN = "broken"
    UNPROVEN = "unproven"
    """It could not be tried, or was not tried yet."""
    STALE = "stale"
    """What was found is too old to stand for today."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proof found. `detail` is in our own words and names nobody."""

    state: State
    detail: str

    @classmethod
    def kept(cls, detail: str) -> "Verdict":
        """Tried, and not refuted."""
        return cls(State.KEPT, detail)

    @classmethod
    def broken(cls, detail: str) -> "Verdict":
        """Refuted."""
        return cls(State.BROKEN, detail)

    @classmethod
    def unproven(cls, detail: str) -> "Verdict":
        """Could not be tried."""
        return cls(State.UNPROVEN, detail)


@dataclass(frozen=True, slots=True)
class Control:
    """Code that keeps a promise: in words, and where (`package.module:name`), which a test resolves."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One trial of the running system. How it is run stands in `proofs.registry`."""

    id: str
    tried: str
    """How it is tried, for whoever reads the policy."""
    sees: str
    """Which breach it would have seen."""
    light: bool = True
    """Whether it is tried every hour; the others once a day."""
    misses: str = ""
    """What it can't detect, for docs/proofs.md."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the policy."""

    id: str
    letter: str
    """As the design counts them: `C1`."""
    means: str
    """In one sentence, what is promised."""
    controls: tuple[Control, ...]
    proofs: tuple[Proof, ...]
    yourself: str
    """Where a visitor can look for themselves."""


class Registry:
    """All promises that the code makes, in the order of the policy. An id twice is an error."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        self._promises: dict[str, Promise] = {}
        for promise in promises:
            if promise.id in self._promises or not ID.fullmatch(promise.id):
                raise ValueError(f"the promise {promise.id} is there twice, or its id is none")
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
        """Every id, in order."""
        return list(self._promises)


FRESH = timedelta(days=1)
"""How long a proof stands for today."""
AHEAD = timedelta(minutes=2)
"""So far from the future may a time come before the clock must have been put back."""


def joined(states: Iterable[State]) -> State:
    """The state of a promise, from those of its proofs: the worst of them; without any, unproven."""
    found = set(states)
    for worst in (State.BROKEN, State.UNPROVEN, State.STALE):
        if worst in found:
            return worst
    return State.KEPT if found else State.UNPROVEN

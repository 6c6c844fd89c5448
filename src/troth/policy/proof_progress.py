"""A run of proofs as it goes on, for whoever watches; and how one is asked for. May touch: its row, and one file."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.cache import cache

from troth.core import clock
from troth.core.disk import write_synced
from troth.policy.models import ProofRun
from troth.policy.promise import Promise
from troth.policy.promises import PROMISES
from troth.policy.status import under_way
from troth.supervisor.status_file import PROVE_ASKED

type Word = Literal["light", "full"]
WORDS: tuple[Word, ...] = ("light", "full")
_SENT_OUT = "promises-asked-for"
_BEGINS_WITHIN = 30
"""Seconds in which a run begins that was asked for; after them nobody waits for it any more."""


def note(promise: Promise, told: Any) -> None:
    """Write down what one proof found, while the others are still to come. `told`: id, state, detail, ms."""
    run = under_way()
    if run is not None:
        run.results.setdefault(promise.id, {})[told.id] = asdict(told)
        run.save(update_fields=["results"])


@dataclass(frozen=True, slots=True)
class Step:
    """One proof of a run that is going on."""

    promise: Promise
    tried: str
    state: str
    """Empty while it is to come."""
    detail: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    run: ProofRun
    steps: list[Step]

    @property
    def done(self) -> int:
        """Proofs that have ended."""
        return sum(1 for one in self.steps if one.state)


def watch() -> Progress | None:
    """The run that is going on just now, if there is one."""
    run = under_way()
    if run is None:
        return None
    steps = []
    for promise in PROMISES:
        for proof in promise.proofs:
            if proof.light or not run.light:
                told = run.results.get(promise.id, {}).get(proof.id, {})
                steps.append(Step(promise, proof.tried, told.get("state", ""), told.get("detail", "")))
    return Progress(run, steps)


def ask(word: Word) -> None:
    """Have the promises tried soon: the supervisor looks every second and sends the prover out. `OSError`: it cannot
    be asked."""
    write_synced(_asked(), word.encode("ascii"))
    cache.set(_SENT_OUT, clock.now(), _BEGINS_WITHIN)


def asked() -> bool:
    """Whether somebody has asked and it has not begun. The prover needs a moment between being sent out and its row."""
    with suppress(OSError):
        if _asked().exists():
            return True
    at = cache.get(_SENT_OUT)
    return at is not None and not ProofRun.objects.filter(began_at__gte=at).exists()


def _asked() -> Path:
    data: Path = settings.TROTH_SITE.data
    return data / PROVE_ASKED

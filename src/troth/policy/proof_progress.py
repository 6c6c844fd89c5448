"""Progress of the present proof run, and the request to start one. May touch: its row, and one file."""

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
from troth.policy.status import made, under_way
from troth.supervisor.status_file import PROVE_ASKED

type RunKind = Literal["light", "full"]
KINDS: tuple[RunKind, ...] = ("light", "full")
_SENT_OUT = "promises-asked-for"
_BEGINS_WITHIN = 30
"""Seconds in which a requested run begins; afterwards the request counts as lost."""


def note(promise: Promise, result: Any) -> None:
    """Store the result of one proof during the run. `result`: id, state, detail, ms."""
    run = under_way()
    if run is not None:
        run.results.setdefault(promise.id, {})[result.id] = asdict(result)
        run.save(update_fields=["results"])


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One proof of the present run."""

    promise: Promise
    tried: str
    state: str
    """Empty until it has run."""
    detail: str


@dataclass(frozen=True, slots=True)
class ProofProgress:
    """Progress of a run."""

    run: ProofRun
    steps: list[ProofStep]

    @property
    def done(self) -> int:
        """Return the number of proofs that have ended."""
        return sum(1 for step in self.steps if step.state)


def watch() -> ProofProgress | None:
    """Return the progress of the present run, if there is one."""
    run = under_way()
    if run is None:
        return None
    steps = []
    for promise in made():
        for proof in promise.proofs:
            if proof.light or not run.light:
                result = run.results.get(promise.id, {}).get(proof.id, {})
                steps.append(ProofStep(promise, proof.tried, result.get("state", ""), result.get("detail", "")))
    return ProofProgress(run, steps)


def ask(kind: RunKind) -> None:
    """Request a run: the supervisor looks every second and starts the prover. Raises `OSError` if the disk refuses."""
    write_synced(_asked(), kind.encode("ascii"))
    cache.set(_SENT_OUT, clock.now(), _BEGINS_WITHIN)


def asked() -> bool:
    """Return whether a run was requested and has not begun. The prover needs a moment until its row exists."""
    with suppress(OSError):
        if _asked().exists():
            return True
    at = cache.get(_SENT_OUT)
    return at is not None and not ProofRun.objects.filter(began_at__gte=at).exists()


def _asked() -> Path:
    data: Path = settings.TROTH_SITE.data
    return data / PROVE_ASKED

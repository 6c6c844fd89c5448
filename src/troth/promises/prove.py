"""`troth prove`: plant canaries, try every promise against the running site, write down what was found.

One run at a time: a lock on `data/prove.lock`. A proof that raises or takes too long is unproven, never kept. The
canaries of a run that was killed are taken out by the next. May touch: what `promises.canaries` and the proofs say.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings

from troth.gate.ownfront import OwnFront
from troth.ground import clock
from troth.ground.errors import TrothError
from troth.ground.promise import Promise, Proof, State, Verdict, joined
from troth.promises import policy
from troth.promises.canaries import planted
from troth.promises.models import ProofRun
from troth.promises.policy import PolicyError
from troth.promises.registry import PROMISES
from troth.promises.scene import Scene

_CANARIES_LIGHT, _CANARIES_FULL = 2, 8
_PATIENCE_SECONDS = 240
"""How long one proof may take before it counts as unproven."""
KEPT_RUNS = 400


@dataclass(frozen=True, slots=True)
class ProofTold:
    """One proof, as it is printed and kept."""

    id: str
    state: str
    detail: str
    ms: int


@dataclass(frozen=True, slots=True)
class PromiseTold:
    """One promise, as it is printed."""

    id: str
    state: str
    proofs: list[ProofTold]


class AnotherProof(TrothError):
    """Proofs are being run already."""

    retry = True


def run(*, light: bool, say: Callable[[Promise, ProofTold], None] = lambda promise, told: None) -> list[PromiseTold]:
    """Try everything (or what is tried every hour), keep the result, and return it. `say` hears of each proof.

    Raises `AnotherProof` where another run is under way.
    """
    with _alone(settings.TROTH_SITE.data / "prove.lock"):
        kept = ProofRun.objects.create(light=light)
        with planted(_CANARIES_LIGHT if light else _CANARIES_FULL) as canaries:
            scene = Scene(
                site=settings.TROTH_SITE,
                config=settings.TROTH_CONFIG,
                front=OwnFront(settings.TROTH_CONFIG),
                canaries=tuple(canaries),
                light=light,
                digest=_digest(),
            )
            told = [_try(promise, scene, say) for promise in PROMISES]
        kept.results = {one.id: {proof.id: asdict(proof) for proof in one.proofs} for one in told}
        kept.ended_at = clock.now()
        kept.save()
        _forget_old()
    return told


def _digest() -> str:
    try:
        return policy.read(settings.TROTH_SITE.policy).digest
    except PolicyError:
        return ""


def _try(promise: Promise, scene: Scene, say: Callable[[Promise, ProofTold], None]) -> PromiseTold:
    found = []
    for proof in promise.proofs:
        if proof.light or not scene.light:
            told = _one(proof, scene)
            found.append(told)
            say(promise, told)
    return PromiseTold(promise.id, joined(State(one.state) for one in found).value, found)


def _one(proof: Proof, scene: Scene) -> ProofTold:
    begun = time.monotonic()
    try:
        with _patience(_PATIENCE_SECONDS):
            verdict = proof.run(scene)
    except TimeoutError:
        verdict = Verdict.unproven(f"It did not end within {_PATIENCE_SECONDS} seconds.")
    except OSError as error:
        verdict = Verdict.unproven(
            f"It could not be tried: {os.strerror(error.errno or 0) if error.errno else 'no answer'}."
        )
    except Exception as error:
        # The kind alone: a message may quote a detail.
        verdict = Verdict.unproven(f"The proof itself failed ({type(error).__name__}).")
    return ProofTold(proof.id, verdict.state.value, verdict.detail, int((time.monotonic() - begun) * 1000))


@contextlib.contextmanager
def _patience(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` in the main thread when the time is over."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherProof(
                "Proofs are being run just now.", mend="Wait for them to end, then look at the result."
            ) from None
        yield
    finally:
        os.close(descriptor)


def _forget_old() -> None:
    old = ProofRun.objects.order_by("-began_at").values_list("id", flat=True)[KEPT_RUNS:]
    ProofRun.objects.filter(id__in=list(old)).delete()


def as_json(told: list[PromiseTold]) -> dict[str, Any]:
    """What `troth prove --json` prints."""
    return {"promises": [asdict(one) for one in told]}


def verdict(told: list[PromiseTold]) -> int:
    """The exit code: 0 only if every promise is kept."""
    return int(any(one.state != State.KEPT for one in told) or not told)

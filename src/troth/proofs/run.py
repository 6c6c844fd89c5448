"""`troth prove`: store canaries, check every promise against the running site, store the results.

Only one run at a time, by a lock on `data/prove.lock`. A proof that raises or takes too long is unproven, never kept. A
run removes the canaries that a killed run left behind. May touch: what `proofs.instruments.canaries` and the proofs
name.
"""

import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.disk import open_plain
from troth.core.errors import TrothError, error_place
from troth.core.purpose import Category, Purpose
from troth.gate import tripwire
from troth.gate.doors import Door, DoorError, for_office
from troth.gate.loopback import mail_relay
from troth.gate.loopback.front_client import OwnFront
from troth.policy.models import ProofRun
from troth.policy.promise import AHEAD, Promise, Proof, State, Verdict, joined
from troth.policy.promises import PROMISES
from troth.proofs import registry
from troth.proofs.context import Scene
from troth.proofs.instruments.canaries import planted
from troth.proofs.instruments.output_capture import OutputCapture
from troth.vault.keeper import keeper

_CANARIES_LIGHT, _CANARIES_FULL = 3, 12
_LIMIT_SECONDS = 240
"""How long one proof may take before it counts as unproven."""
KEPT_RUNS = 400


@dataclass(frozen=True, slots=True)
class ProofResult:
    """The result of one proof, as printed and stored."""

    id: str
    state: str
    detail: str
    ms: int


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """The result of one promise, as printed."""

    id: str
    state: str
    proofs: list[ProofResult]


class AlreadyRunning(TrothError):
    """Another run of proofs is in progress."""

    retry = True


class DatabaseUnavailable(TrothError):
    """The database is unavailable, so nothing could be checked."""

    retry = True


type OnResult = Callable[[Promise, ProofResult], None]


def run(
    *, light: bool, say: OnResult = lambda promise, result: None, listener: socket.socket | None = None
) -> list[PromiseResult]:
    """Run all proofs of this site (or those that run every hour), store the results, and return them. `say` is called
    after each proof; `listener` is for the proofs' own mail relay. Raises `AlreadyRunning` or `DatabaseUnavailable`."""
    with _only_run(settings.TROTH_SITE.data / "prove.lock"), _database():
        _delete_future_runs()
        before = ProofRun.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()
        proof_run = ProofRun.objects.create(light=light)
        with ExitStack() as stack, listener or mail_relay.listener() as listening:
            scene = _scene(stack, light, before.ended_at if before else None, listening)
            promises = PROMISES.made_by(settings.TROTH_CONFIG)
            tried = [promise for promise in promises if not light or any(proof.light for proof in promise.proofs)]
            if isinstance(scene, Verdict):
                results = [_all_unproven(promise, scene, light, say) for promise in tried]
            else:
                results = [_check_promise(promise, scene, say) for promise in tried]
        proof_run.results = {promise.id: {proof.id: asdict(proof) for proof in promise.proofs} for promise in results}
        _note_ledger_end()
        proof_run.ended_at = clock.now()
        proof_run.save()
        _delete_old_runs()
    return results


def _scene(stack: ExitStack, light: bool, before: datetime | None, listener: socket.socket) -> Scene | Verdict:
    """Store the canaries, recording this process's output and connection attempts meanwhile."""
    config = settings.TROTH_CONFIG
    reached = stack.enter_context(tripwire.overheard(_allowed_doors(config, listener)))
    output = OutputCapture()
    try:
        with output.listening():
            canaries = stack.enter_context(planted(_CANARIES_LIGHT if light else _CANARIES_FULL))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # The kind alone: a message may quote a detail.
        return Verdict.unproven(f"No test person could be stored ({type(error).__name__} at {error_place(error)}).")
    return Scene(
        site=settings.TROTH_SITE,
        config=config,
        canaries=tuple(canaries),
        light=light,
        before=before,
        listener=listener,
        output=output.text,
        reached=reached,
    )


def _allowed_doors(config: Config, listener: socket.socket) -> list[Door]:
    """Return the doors of this process: its front, its database and its own relay, but not the configured relay."""
    database_doors = [*for_office(config)]
    places = [("own-relay", "127.0.0.1", listener.getsockname()[1])]
    with suppress(DoorError):
        places.append(("own-front", *OwnFront(config).place))
    nothing = frozenset[Category]()
    return database_doors + [Door(name, "a proof", Purpose.ADMINISTRATION, nothing, host, port, "none-loopback")
                   for name, host, port in places]  # fmt: skip


def _all_unproven(promise: Promise, why: Verdict, light: bool, say: OnResult) -> PromiseResult:
    results = [
        ProofResult(proof.id, why.state.value, why.detail, 0) for proof in promise.proofs if proof.light or not light
    ]
    for result in results:
        say(promise, result)
    return PromiseResult(promise.id, State.UNPROVEN.value, results)


@contextlib.contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError):
        raise DatabaseUnavailable(
            "The database is unavailable, so no check could run.",
            mend="`troth doctor` says more. Nothing submitted in the meantime is lost.",
        ) from None


def _check_promise(promise: Promise, scene: Scene, say: Callable[[Promise, ProofResult], None]) -> PromiseResult:
    results = []
    for proof in promise.proofs:
        if proof.light or not scene.light:
            result = _check_twice(proof, scene)
            results.append(result)
            say(promise, result)
    return PromiseResult(promise.id, joined(State(result.state) for result in results).value, results)


def _check_twice(proof: Proof, scene: Scene) -> ProofResult:
    """Return the proof's result. A breach is checked again with another test visitor before it is reported. If that
    check finds none, the result mentions the first; a second check that could not run clears nothing."""
    first = _check_once(proof, scene)
    if first.state != State.BROKEN:
        return first
    scene.look_afresh()
    second = _check_once(proof, scene)
    if second.state != State.KEPT:
        return second if second.state == State.BROKEN else first
    return replace(second, detail=f"{second.detail} A first check just before had found: {first.detail}")


def _check_once(proof: Proof, scene: Scene) -> ProofResult:
    started = time.monotonic()
    try:
        with _time_limit(_LIMIT_SECONDS):
            verdict = registry.RUN[proof.id](scene)
    except _TooLong:
        verdict = Verdict.unproven(f"The check did not finish within {_LIMIT_SECONDS} seconds.")
    except TrothError as error:
        verdict = Verdict.unproven(str(error))
    except (ConnectionRefusedError, ConnectionResetError, TimeoutError):
        verdict = Verdict.unproven("The site did not respond. Is it running?")
    except OSError as error:
        verdict = Verdict.unproven(f"The check could not run: {_describe(error)}.")
    except Exception as error:
        # The kind alone: a message may quote a detail.
        verdict = Verdict.unproven(f"The check itself failed ({type(error).__name__} at {error_place(error)}).")
    return ProofResult(proof.id, verdict.state.value, verdict.detail, int((time.monotonic() - started) * 1000))


def _describe(error: OSError) -> str:
    """Describe the error without a path on this machine."""
    if isinstance(error, PermissionError) and isinstance(error.filename, str):
        return f"this user may not read {Path(error.filename).name}"
    return os.strerror(error.errno) if error.errno else "no response"


class _TooLong(BaseException):
    """A proof took too long. Not an `Exception`, which a hanging proof might catch."""


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raise `_TooLong` in the main thread after this time, and every second from then on until it is handled."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _only_run(path: Path) -> Iterator[None]:
    # For reading: root may have made it, and the worker's user tries next.
    descriptor = open_plain(path, os.O_RDONLY | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                "Checks are already running.", mend="Wait until they finish, then look at the result."
            ) from None
        yield
    finally:
        os.close(descriptor)


def _note_ledger_end() -> None:
    """Note the end of the ledger, which this run has extended since the proof of the ledger noted it."""
    with suppress(OSError):
        keeper().heads.note()


def _delete_future_runs() -> None:
    """Delete runs dated in the future by a clock that jumped back; they would count as recent."""
    later = clock.now() + AHEAD
    ProofRun.objects.filter(Q(began_at__gt=later) | Q(ended_at__gt=later)).delete()


def _delete_old_runs() -> None:
    old = ProofRun.objects.order_by("-began_at").values_list("id", flat=True)[KEPT_RUNS:]
    ProofRun.objects.filter(id__in=list(old)).delete()


def as_json(results: list[PromiseResult]) -> dict[str, Any]:
    """Return what `troth prove --json` prints."""
    return {"promises": [asdict(promise) for promise in results]}


def verdict(results: list[PromiseResult]) -> int:
    """Return the exit code: 0 only if every promise is kept."""
    return int(any(promise.state != State.KEPT for promise in results) or not results)

"""State of each promise: the latest results of its proofs, and whether they are recent enough. A result only becomes
stale."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from troth.core import clock
from troth.policy.models import ProofRun
from troth.policy.promise import AHEAD, FRESH, Promise, Proof, State, joined
from troth.policy.promises import PROMISES

_DAILY = timedelta(days=1, hours=1)
"""How long the result of a daily proof counts, including the duration of the next run."""
_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LastResult:
    """The latest result of a proof."""

    state: State
    detail: str
    at: datetime
    ms: int = 0


@dataclass(frozen=True, slots=True)
class PromiseStatus:
    """The state of one promise at a moment."""

    promise: Promise
    state: State
    at: datetime | None
    """The time of its oldest proof; None if one has not run yet."""
    results: Mapping[str, LastResult]
    """By proof id, without proofs that have not run yet."""


def made() -> list[Promise]:
    """Return the promises that this site makes."""
    return PROMISES.made_by(settings.TROTH_CONFIG)


def newest() -> dict[str, LastResult]:
    """Return the latest result of each proof, by proof id."""
    proof_ids = {proof.id for promise in made() for proof in promise.proofs}
    latest: dict[str, LastResult] = {}
    since = clock.now() - _LOOK_BACK
    for run in ProofRun.objects.filter(ended_at__gt=since).order_by("-ended_at").iterator(chunk_size=50):
        assert run.ended_at is not None
        for result in (result for proofs in run.results.values() for result in proofs.values()):
            if result["id"] in proof_ids - latest.keys():
                latest[result["id"]] = LastResult(State(result["state"]), result["detail"], run.ended_at, result["ms"])
        if proof_ids <= latest.keys():
            break
    return latest


def standings(results: Mapping[str, LastResult], now: datetime, *, stale: bool = False) -> list[PromiseStatus]:
    """Return the state of every promise of this site at `now`. `stale`: as the front shows it after too long without
    news."""
    return [_standing(promise, results, now, stale=stale) for promise in made()]


def _standing(promise: Promise, results: Mapping[str, LastResult], now: datetime, *, stale: bool) -> PromiseStatus:
    own = {proof.id: results[proof.id] for proof in promise.proofs if proof.id in results}
    states = [proof_state(proof, own.get(proof.id), now, stale=stale) for proof in promise.proofs]
    complete = bool(own) and len(own) == len(promise.proofs)
    return PromiseStatus(promise, joined(states), min(result.at for result in own.values()) if complete else None, own)


def proof_state(proof: Proof, result: LastResult | None, now: datetime, *, stale: bool = False) -> State:
    """Return the state of a proof: `kept` only while its result is fresh and not from the future."""
    if result is None:
        return State.UNPROVEN
    fresh = result.at - AHEAD <= now < _ends(proof, result)
    return State.STALE if result.state is State.KEPT and (stale or not fresh) else result.state


def _ends(proof: Proof, result: LastResult) -> datetime:
    return result.at + (FRESH if proof.light else _DAILY)


def holds(standings: list[PromiseStatus]) -> tuple[datetime, datetime] | None:
    """Return the span in which every `kept` promise stays so without a new run; None if there is none."""
    spans = [
        (standing.results[proof.id].at - AHEAD, _ends(proof, standing.results[proof.id]))
        for standing in standings
        if standing.state is State.KEPT
        for proof in standing.promise.proofs
    ]
    return (max(since for since, _ in spans), min(until for _, until in spans)) if spans else None


# -- runs -------------------------------------------------------------------------------------------------------------

_GIVEN_UP = timedelta(minutes=30)
"""A run without an end after this time was killed."""


def under_way() -> ProofRun | None:
    """Return the present run, if there is one."""
    now = clock.now()
    last = ProofRun.objects.order_by("-began_at").first()
    going = last is not None and last.ended_at is None and now - _GIVEN_UP < last.began_at <= now + AHEAD
    return last if going else None

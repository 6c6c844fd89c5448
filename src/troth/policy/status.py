"""How each promise stands: what its proofs found last, and whether that is recent enough to stand for today.

Reads the runs of proofs. What was found is never made better here, only older.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.core import clock
from troth.policy.models import ProofRun
from troth.policy.promise import AHEAD, FRESH, Promise, Proof, State, joined
from troth.policy.promises import PROMISES

_DAILY = timedelta(days=1, hours=1)
"""The same for one that is tried once a day: the next run takes its time, too."""
_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Found:
    """What a proof found last."""

    state: State
    detail: str
    at: datetime
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One promise, as it stands at a moment."""

    promise: Promise
    state: State
    at: datetime | None
    """When all of it had been tried: the oldest of its proofs. None where one was not tried yet."""
    found: Mapping[str, Found]
    """By proof id; what was not tried yet is not in it."""


def newest() -> dict[str, Found]:
    """The newest verdict on each proof, by proof id."""
    wanted = {proof.id for promise in PROMISES for proof in promise.proofs}
    found: dict[str, Found] = {}
    since = clock.now() - _LOOK_BACK
    for run in ProofRun.objects.filter(ended_at__gt=since).order_by("-ended_at").iterator(chunk_size=50):
        assert run.ended_at is not None
        for told in (one for proofs in run.results.values() for one in proofs.values()):
            if told["id"] in wanted - found.keys():
                found[told["id"]] = Found(State(told["state"]), told["detail"], run.ended_at, told["ms"])
        if wanted <= found.keys():
            break
    return found


def standings(found: Mapping[str, Found], now: datetime, *, stale: bool = False) -> list[Standing]:
    """How every promise stands at `now`. `stale`: as the front shows it when it has heard nothing for too long."""
    return [_standing(promise, found, now, stale=stale) for promise in PROMISES]


def _standing(promise: Promise, found: Mapping[str, Found], now: datetime, *, stale: bool) -> Standing:
    own = {proof.id: found[proof.id] for proof in promise.proofs if proof.id in found}
    states = [proof_state(proof, own.get(proof.id), now, stale=stale) for proof in promise.proofs]
    whole = bool(own) and len(own) == len(promise.proofs)
    return Standing(promise, joined(states), min(one.at for one in own.values()) if whole else None, own)


def proof_state(proof: Proof, found: Found | None, now: datetime, *, stale: bool = False) -> State:
    """How a proof stands: `kept` only while it is fresh, and never from the future."""
    if found is None:
        return State.UNPROVEN
    fresh = found.at - AHEAD <= now < _ends(proof, found)
    return State.STALE if found.state is State.KEPT and (stale or not fresh) else found.state


def _ends(proof: Proof, found: Found) -> datetime:
    return found.at + (FRESH if proof.light else _DAILY)


def holds(standing: list[Standing]) -> tuple[datetime, datetime] | None:
    """From when until when all that is `kept` in these stays true without anybody looking again; None where nothing
    is."""
    kept = [
        (one.found[proof.id].at - AHEAD, _ends(proof, one.found[proof.id]))
        for one in standing
        if one.state is State.KEPT
        for proof in one.promise.proofs
    ]
    return (max(since for since, _ in kept), min(until for _, until in kept)) if kept else None


# -- runs -------------------------------------------------------------------------------------------------------------

_GIVEN_UP = timedelta(minutes=30)
"""A run that has not ended after so long was killed."""


def under_way() -> ProofRun | None:
    """The run that is going on just now, if there is one."""
    now = clock.now()
    last = ProofRun.objects.order_by("-began_at").first()
    going = last is not None and last.ended_at is None and now - _GIVEN_UP < last.began_at <= now + AHEAD
    return last if going else None

"""Promises and proof runs as rows for the console, without personal data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.core import clock
from troth.kit.needs import Need
from troth.policy import status, versions
from troth.policy.html import LABELS
from troth.policy.models import ProofRun
from troth.policy.promise import Promise, State, joined
from troth.policy.promises import PROMISES
from troth.policy.status import PromiseStatus, proof_state

_TAGS = {State.KEPT: "good", State.BROKEN: "bad", State.UNPROVEN: "warn", State.STALE: "waiting"}


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One proof with its latest result."""

    tried: str
    sees: str
    detail: str
    at: datetime | None
    tag: str
    label: str
    duration: str
    light: bool


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise with its state."""

    promise: Promise
    at: datetime | None
    tag: str
    """The CSS class of the tag."""
    label: str
    state: str
    proofs: list[ProofRow]

    @classmethod
    def of(cls, standing: PromiseStatus) -> "PromiseRow":
        """Return the row of a standing."""
        return cls(
            promise=standing.promise,
            at=standing.at,
            tag=_TAGS[standing.state],
            label=LABELS[standing.state],
            state=standing.state.value,
            proofs=list(_proofs(standing)),
        )


def _proofs(standing: PromiseStatus) -> Iterator[ProofRow]:
    now = clock.now()
    for proof in standing.promise.proofs:
        result = standing.results.get(proof.id)
        state = proof_state(proof, result, now)
        yield ProofRow(
            tried=proof.tried,
            sees=proof.sees,
            detail=result.detail if result else "Not tested yet.",
            at=result.at if result else None,
            tag=_TAGS[state],
            label=LABELS[state],
            duration=_seconds(result.ms) if result else "",
            light=proof.light,
        )


def _duration(time: timedelta) -> str:
    """Return the duration of a run; empty if the clock was set back meanwhile."""
    return _seconds(int(time.total_seconds() * 1000)) if time >= timedelta() else ""


def _seconds(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


# -- runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRow:
    """One finished run."""

    id: UUID
    at: datetime
    kind: str
    duration: str
    kept_count: int
    total: int
    tag: str
    label: str
    not_kept: str
    """The letters of promises that were not kept."""

    @classmethod
    def of(cls, run: ProofRun) -> "RunRow":
        """Return the row of a finished run."""
        assert run.ended_at is not None
        states = {
            promise: joined(State(result["state"]) for result in proofs.values())
            for promise, proofs in run.results.items()
        }
        worst = joined(states.values())
        not_kept = [
            PROMISES[promise].letter
            for promise, state in states.items()
            if state is not State.KEPT and promise in PROMISES
        ]
        return cls(
            id=run.id,
            at=run.ended_at,
            kind="Quick" if run.light else "Full",
            duration=_duration(run.ended_at - run.began_at),
            kept_count=sum(1 for state in states.values() if state is State.KEPT),
            total=len(states),
            tag=_TAGS[worst],
            label=LABELS[worst],
            not_kept=", ".join(not_kept),
        )


def run_rows(most: int) -> list[RunRow]:
    """Return the last finished runs, newest first."""
    ended = ProofRun.objects.filter(ended_at__isnull=False).order_by("-ended_at")[:most]
    return [RunRow.of(run) for run in ended]


def rows(run: ProofRun) -> list[tuple[Promise | None, list[ProofRow]]]:
    """Return the results of one run by promise; None for a promise that no longer exists."""
    known_proofs = {proof.id: proof for promise in PROMISES for proof in promise.proofs}
    promises = {promise.id: promise for promise in PROMISES}
    groups = []
    for promise_id, proofs in run.results.items():
        lines = [
            ProofRow(
                tried=known_proofs[result["id"]].tried if result["id"] in known_proofs else result["id"],
                sees=known_proofs[result["id"]].sees if result["id"] in known_proofs else "",
                detail=result["detail"],
                at=run.ended_at,
                tag=_TAGS[State(result["state"])],
                label=LABELS[State(result["state"])],
                duration=_seconds(result["ms"]),
                light=run.light,
            )
            for result in proofs.values()
        ]
        groups.append((promises.get(promise_id), lines))
    return groups


# -- what needs attention
# ------------------------------------------------------------------------------------------------


def needs() -> list[Need]:
    """Return what needs attention about promises and the policy."""
    return [*_broken(), *_policy()]


def _broken() -> Iterator[Need]:
    stands = status.standings(status.newest(), clock.now())
    for standing in stands:
        if standing.state is State.BROKEN:
            title = f"Broken promise: {standing.promise.means}"
            yield Need("bad", title, "See what was found under Promises. Your visitors see it too.")
    stale = sum(1 for standing in stands if standing.state is State.STALE)
    if stale:
        mend = (
            "The last test is over a day old. Run the checks under Promises; System status shows whether a process "
            "is down."
        )
        yield Need("warn", f"{stale} {'promise is' if stale == 1 else 'promises are'} no longer verified.", mend)


def _policy() -> Iterator[Need]:
    draft = versions.draft()
    if draft.text is None:
        yield Need("warn", "policy.md cannot be read.", draft.trouble)
    elif draft.version is None:
        if draft.bad:  # otherwise the worker publishes it within seconds
            mend = "The Policy page, under Promises, lists the problems in policy.md."
            yield Need("warn", "No policy is published.", mend)
    elif lacking := [promise for promise in status.made() if promise.id not in draft.text.promises]:
        words = ", ".join(promise.id for promise in lacking)
        mend = "The Policy page, under Promises, has sentences to add to policy.md. Then publish it."
        yield Need("warn", f"Your policy does not state what Troth tests on this site: {words}.", mend)
    elif draft.edited:
        yield Need(
            "warn", "policy.md has unpublished changes.", "An owner publishes them under Promises, or reverts the file."
        )
    elif draft.other_tables:
        yield Need(
            "warn",
            "The policy’s tables have changed since they were published.",
            "A setting or a new version of Troth changed them. Publish the policy again under Promises, and say "
            "what changed.",
        )

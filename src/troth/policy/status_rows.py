"""Promises and runs of proofs as the console shows them: rows of words, nobody's details."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.core import clock
from troth.kit.needs import Need
from troth.policy import status, versions
from troth.policy.html import WORDS
from troth.policy.models import ProofRun
from troth.policy.promise import Promise, State, joined
from troth.policy.promises import PROMISES
from troth.policy.status import Standing, proof_state

_TAGS = {State.KEPT: "good", State.BROKEN: "bad", State.UNPROVEN: "warn", State.STALE: "waiting"}


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One proof as it stands."""

    tried: str
    sees: str
    detail: str
    at: datetime | None
    tag: str
    word: str
    seconds: str
    light: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One promise as it stands."""

    promise: Promise
    at: datetime | None
    tag: str
    """The class of the tag that shows it."""
    word: str
    state: str
    proofs: list[ProofRow]

    @classmethod
    def of(cls, standing: Standing) -> "Row":
        """The row of a standing."""
        return cls(
            promise=standing.promise,
            at=standing.at,
            tag=_TAGS[standing.state],
            word=WORDS[standing.state],
            state=standing.state.value,
            proofs=list(_proofs(standing)),
        )


def _proofs(standing: Standing) -> Iterator[ProofRow]:
    now = clock.now()
    for proof in standing.promise.proofs:
        found = standing.found.get(proof.id)
        state = proof_state(proof, found, now)
        yield ProofRow(
            tried=proof.tried,
            sees=proof.sees,
            detail=found.detail if found else "Not tried yet.",
            at=found.at if found else None,
            tag=_TAGS[state],
            word=WORDS[state],
            seconds=_seconds(found.ms) if found else "",
            light=proof.light,
        )


def _took(time: timedelta) -> str:
    """How long a run took; nothing, where the clock was put back meanwhile."""
    return _seconds(int(time.total_seconds() * 1000)) if time >= timedelta() else ""


def _seconds(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


# -- runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, in a line."""

    id: UUID
    at: datetime
    kind: str
    took: str
    kept: int
    total: int
    tag: str
    word: str
    names: str
    """The promises that were not kept, by letter."""

    @classmethod
    def of(cls, run: ProofRun) -> "RunRow":
        """The row of a run that has ended."""
        assert run.ended_at is not None
        states = {one: joined(State(p["state"]) for p in proofs.values()) for one, proofs in run.results.items()}
        worst = joined(states.values())
        lost = [PROMISES[one].letter for one, state in states.items() if state is not State.KEPT and one in PROMISES]
        return cls(
            id=run.id,
            at=run.ended_at,
            kind="Quick" if run.light else "Whole",
            took=_took(run.ended_at - run.began_at),
            kept=sum(1 for state in states.values() if state is State.KEPT),
            total=len(states),
            tag=_TAGS[worst],
            word=WORDS[worst],
            names=", ".join(lost),
        )


def run_rows(most: int) -> list[RunRow]:
    """The last runs, the newest first."""
    ended = ProofRun.objects.filter(ended_at__isnull=False).order_by("-ended_at")[:most]
    return [RunRow.of(run) for run in ended]


def rows(run: ProofRun) -> list[tuple[Promise | None, list[ProofRow]]]:
    """What each proof found in one run, by promise; None for a promise that the code makes no more."""
    words = {proof.id: proof for promise in PROMISES for proof in promise.proofs}
    known = {promise.id: promise for promise in PROMISES}
    found = []
    for one, proofs in run.results.items():
        lines = [
            ProofRow(
                tried=words[told["id"]].tried if told["id"] in words else told["id"],
                sees=words[told["id"]].sees if told["id"] in words else "",
                detail=told["detail"],
                at=run.ended_at,
                tag=_TAGS[State(told["state"])],
                word=WORDS[State(told["state"])],
                seconds=_seconds(told["ms"]),
                light=run.light,
            )
            for told in proofs.values()
        ]
        found.append((known.get(one), lines))
    return found


# -- what needs a hand ------------------------------------------------------------------------------------------------


def needs() -> list[Need]:
    """What the first page says of promises."""
    return [*_broken(), *_policy()]


def _broken() -> Iterator[Need]:
    stands = status.standings(status.newest(), clock.now())
    for one in stands:
        if one.state is State.BROKEN:
            what = f"A promise is broken: {one.promise.means}"
            yield Need("bad", what, "Promises says what was found. Your visitors see it, too.")
    stale = sum(1 for one in stands if one.state is State.STALE)
    if stale:
        mend = (
            "Nobody has looked for a day. Try them now under Promises; The house says whether something stands still."
        )
        yield Need("warn", f"{stale} {'promise is' if stale == 1 else 'promises are'} not verified any more.", mend)


def _policy() -> Iterator[Need]:
    draft = versions.draft()
    if draft.text is None:
        yield Need("warn", "policy.md cannot be read.", draft.trouble)
    elif draft.version is None:
        if draft.bad:  # otherwise the worker publishes it within seconds
            mend = "The policy’s page, under Promises, says what is wrong with policy.md."
            yield Need("warn", "No policy is published.", mend)
    elif draft.edited:
        yield Need(
            "warn", "policy.md is edited, not published.", "An owner publishes it under Promises, or puts it back."
        )
    elif draft.other_tables:
        yield Need(
            "warn",
            "The program makes other tables than those that were published.",
            "A setting or this version of Troth changed them. Publish under Promises, and say what changed.",
        )

"""Runs mutants: starts a demo from a copy with the breach in it, runs the proofs, compares what turned red with what
must."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from tests.mutants.breach import Mutant, OutOfDate
from tests.mutants.listed import BY_PROMISE, MUTANTS, PROMISE_OF
from tests.mutants.throwaway import SOURCE, NotRun, copied, served
from troth.policy.promises import KILLED

AT_ONCE = 2
CONTROL = Mutant("control", "No breach at all: every promise must be kept.", frozenset())


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of one mutant."""

    id: str
    killed: bool
    """Return whether what must turn red did, and nothing else that may not. For the control: whether nothing did."""
    red: dict[str, str] = field(default_factory=dict)
    """Proofs that are broken, with their details."""
    fault: str = ""
    seconds: float = 0.0


def try_one(mutant: Mutant, lane: int = 0, source: Path = SOURCE) -> Tried:
    """Start the demo, run the proofs, compare. `source` is the program that gets the breach."""
    begun = time.monotonic()
    try:
        with copied(source) as code:
            mutant.apply(code / "troth")
            with served(code, lane) as site:
                if mutant.on_site:
                    mutant.on_site(site)
                found = site.prove()
    except (OutOfDate, NotRun) as error:
        return Tried(mutant.id, False, fault=str(error), seconds=time.monotonic() - begun)
    red = {name: one["detail"] for name, one in found.items() if one["state"] == "broken"}
    fault = judge(mutant, {name: one["state"] for name, one in found.items()})
    return Tried(mutant.id, not fault, red, fault, time.monotonic() - begun)


def judge(mutant: Mutant, states: dict[str, str]) -> str:
    """Return what is wrong with these verdicts, given what the mutant does; empty if nothing is."""
    unseen = sorted(name for name in mutant.must if states.get(name) != "broken")
    if unseen:
        return f"not seen by {', '.join(f'{name} ({states.get(name)})' for name in unseen)}"
    known = mutant.must | mutant.may
    other = sorted(name for name, state in states.items() if state != "kept" and name not in known)
    return f"unexpected: {', '.join(f'{name} {states[name]}' for name in other)}" if other else ""


def try_all(mutants: Sequence[Mutant], tell: Callable[[Tried, int], None], at_once: int = AT_ONCE) -> list[Tried]:
    """Run all mutants, some in parallel. `tell` is called after each, with the number done."""
    lanes, done, lock = list(range(at_once)), list[Tried](), threading.Lock()

    def one(mutant: Mutant, source: Path) -> Tried:
        with lock:
            lane = lanes.pop()
        tried = try_one(mutant, lane, source)
        with lock:
            lanes.append(lane)
            done.append(tried)
            tell(tried, len(done))
        return tried

    # One copy at the beginning, so that all are tried on the same program, whoever works on it meanwhile.
    with copied() as same, ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, mutants, repeat(same / "troth")))


# -- what the house is told -------------------------------------------------------------------------------------------


def read() -> dict[str, str]:
    """Return, by promise, the digest of what its stored mutants were run on."""
    return json.loads(KILLED.read_text()).get("digests", {})


def write(tried: Sequence[Tried], digests: Mapping[str, str]) -> None:
    """Store which mutants of these promises were killed, as the condition for publishing; other promises keep theirs.
    `digests` are those of what each promise's mutants were run on."""
    by_id = {one.id: one for one in tried}
    kept = json.loads(KILLED.read_text())
    killed = {
        promise: {
            one.id: one.breach for one in BY_PROMISE[promise] if by_id[one.id].killed and _is_of(promise, by_id[one.id])
        }
        for promise in digests
    }
    for name, values in (("digests", digests), ("killed", killed)):
        all_values = {**kept.get(name, {}), **values}
        kept[name] = {promise: all_values[promise] for promise in BY_PROMISE if promise in all_values}
    KILLED.write_text(json.dumps({"digests": kept["digests"], "killed": kept["killed"]}, indent=1) + "\n")


def _is_of(promise: str, tried: Tried) -> bool:
    return any(PROMISE_OF.get(name) == promise for name in tried.red)


def chosen(names: Sequence[str]) -> list[Mutant]:
    """Return the mutants of these names; for a promise, the control and all of its. `KeyError` for an unknown name."""
    known = {"control": [CONTROL], **{name: [mutant] for name, mutant in MUTANTS.items()}}
    known |= {promise: all_of([promise]) for promise in BY_PROMISE}
    return list(dict.fromkeys(mutant for name in names for mutant in known[name]))


def all_of(promises: Iterable[str]) -> list[Mutant]:
    """Return the control and every mutant of these promises."""
    return [CONTROL, *(mutant for promise in promises for mutant in BY_PROMISE[promise])]

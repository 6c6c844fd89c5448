"""How long it takes to find one of 1,000,000 people, and to erase one: in a process of its own, with nothing beside it.

    python -m bench.find [sqlite|postgresql]

Each search is asked as the office and `troth people find` ask it, and is written in the ledger. Erasing is all of it:
asked for, the key overwritten, indexes and rows gone, the log cut, the receipt signed. `bench.crowd` says how many
people and where they are kept; the erased are gone from there. Prints one JSON line, in milliseconds; beside it stands
what one synced write takes on this disk.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from bench import crowd

GOAL_EMAIL_MS, GOAL_WORD_MS, GOAL_ERASE_MS = 20, 100, 1000
TIMES = 200
ERASED = 20


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    begun = time.perf_counter()
    answer = call()
    return (time.perf_counter() - begun) * 1000, answer


def told(times: list[float]) -> list[float]:
    """The middle one, the one that 95 in 100 stay under, and the longest."""
    times = sorted(times)
    return [round(one, 1) for one in (median(times), times[int(len(times) * 0.95)], times[-1])]


def people() -> list[tuple[str, str, str, str]]:
    """People from all over the file, every time others, none of whom is found by what was asked before."""
    return [crowd.person(crowd.COUNT // (TIMES * 3) * number * 3) for number in range(TIMES)]


def search() -> dict[str, list[float]]:
    """Every way to find somebody."""
    from troth.vault.search import find

    sought = {
        "email": [email for email, *_ in people()],
        "nobody": [f"x{email}" for email, *_ in people()],
        "name": [name for _, name, *_ in people()],
        "word_of_many": [crowd.FIRST[number % len(crowd.FIRST)] for number in range(TIMES)],
        "word_of_some": [name.split()[1] for _, name, *_ in people()],
        "telephone": [telephone for *_, telephone, _ in people()],
        "domain_of_many": ["@example.com", "@example.net"] * (TIMES // 2),
    }
    find("bench", "warm@example.com")
    found = {}
    for name, words in sought.items():
        runs = [timed(partial(find, "bench", typed)) for typed in words]
        assert all(bool(answer) != (name == "nobody") for _, answer in runs), name
        found[name] = [took for took, _ in runs]
    return found


def erase() -> list[float]:
    """Erase some, one after the other, each whole."""
    from troth.rights import services
    from troth.vault.models import Person
    from troth.worker.intake import Intake

    intake, some = Intake(), list(Person.objects.order_by("id").values_list("id", flat=True)[1000 : 1000 + ERASED])

    def one(who: Any) -> int:
        services.ask_to_erase(who, "bench")
        return intake.finish_erasures()

    runs = [timed(partial(one, who)) for who in some]
    assert all(done == 1 for _, done in runs), runs
    assert not Person.objects.filter(id__in=some).exists()
    return [took for took, _ in runs]


def main(kind: str) -> None:
    """Measure and print."""
    with crowd.filled(kind) as root:
        before = crowd.synced_write_ms(root)
        found, erased = search(), erase()
        synced = (before + crowd.synced_write_ms(root)) / 2
    print(
        json.dumps(
            {
                "bench": "find",
                "database": kind,
                "people": crowd.COUNT,
                "goal_ms": {"email": GOAL_EMAIL_MS, "word": GOAL_WORD_MS, "erase": GOAL_ERASE_MS},
                "p50_p95_max_ms": {**{name: told(times) for name, times in found.items()}, "erase": told(erased)},
                "synced_write_ms": round(synced, 2),
                "email_ratio_to_a_synced_write": round(median(found["email"]) / synced, 1),
                "erase_ratio_to_a_synced_write": round(median(erased) / synced, 1),
                "load": crowd.load(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")

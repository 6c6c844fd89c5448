"""How long an import of 1,000,000 people takes, both readings, on SQLite or PostgreSQL.

    python -m bench.import [sqlite|postgresql]

`bench.crowd` says how many they are and where they are kept; the site must be new. Beside it stands the rate at which
the same core encrypts the records of such people and does nothing else. Prints one JSON line.
"""

import json
import os
import resource
import sys
import time
import uuid

from bench import crowd
from troth.core.personal import EmailAddress, PersonName
from troth.vault.records import CONSENT, DETAILS, Boxer, Consent, Details

GOAL_SECONDS = 360
_ALONE = 20_000


def encrypt_alone() -> float:
    """People a second whose two records are encrypted, with nothing around it."""
    boxer, entry = Boxer(uuid.uuid4()), uuid.uuid4()
    people = [(uuid.uuid4(), os.urandom(32)) for _ in range(_ALONE)]
    begun = time.perf_counter()
    for number, (who, key) in enumerate(people):
        details = Details(EmailAddress(f"p{number}@example.com"), PersonName(f"Person {number}"))
        consent = Consent("imported", entry, 1_700_000_000_000, None, bytes(32), "people.csv")
        boxer.close(key, who, DETAILS, who, details)
        boxer.close(key, who, CONSENT, who, consent)
    return _ALONE / (time.perf_counter() - begun)


def main(kind: str) -> None:
    """Measure and print."""
    marks: dict[str, float] = {}

    def tell(what: str, _done: int, _size: int, rows: int) -> None:
        marks.setdefault(f"{what} began", time.monotonic())
        if rows % 100_000 == 0:
            print(what, rows, round(time.monotonic() - marks[f"{what} began"], 1), file=sys.stderr, flush=True)

    with crowd.site(kind) as root:
        from troth.vault.models import Person

        if Person.objects.exists():
            sys.exit(f"The people are there already: remove {root.parent} to measure an import.")
        path = crowd.written(root)
        before = encrypt_alone()
        begun, computed = time.monotonic(), time.process_time()
        told = crowd.take_in(path, tell)
        took, computed = time.monotonic() - begun, time.process_time() - computed
        alone = (before + encrypt_alone()) / 2
        keys = sum(file.stat().st_size for file in (root / "keys" / "people").iterdir())
        print(
            json.dumps(
                {
                    "bench": "import",
                    "database": kind,
                    "people": told["new"],
                    "goal_seconds": GOAL_SECONDS * told["new"] / 1_000_000,
                    "seconds": round(took, 1),
                    "computed_seconds": round(computed, 1),
                    "looking_through_seconds": round(marks["filing began"] - begun, 1),
                    "people_per_second": round(told["new"] / took),
                    "encrypted_alone_per_second": round(alone),
                    "ratio_to_encrypting_alone": round(told["new"] / took / alone, 3),
                    "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    "keys_and_indexes_mib": keys >> 20,
                    "csv_mib": path.stat().st_size >> 20,
                    "load": crowd.load(),
                }
            )
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")

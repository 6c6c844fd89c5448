"""How long an import of 1,000,000 people takes, both readings, on SQLite or PostgreSQL; and a million bad rows.

    python -m bench.import [sqlite|postgresql]

`TROTH_CROWD` is how many people; `TROTH_SITE` must not be set. Prints one JSON line.
"""

import json
import resource
import sys
import time

from bench import crowd


def main(kind: str) -> None:
    """Measure and print."""
    marks: dict[str, float] = {}

    def tell(what: str, _done: int, _size: int, rows: int) -> None:
        marks.setdefault(f"{what} began", time.monotonic())
        if rows % 100_000 == 0:
            print(what, rows, round(time.monotonic() - marks[f"{what} began"], 1), file=sys.stderr, flush=True)

    with crowd.site(kind) as root:
        path = root.parent / "people.csv"
        crowd.write(path, crowd.COUNT)
        begun = time.monotonic()
        told = crowd.take_in(path, tell)
        took = time.monotonic() - begun
        first = marks["filing began"] - begun
        keys = sum(file.stat().st_size for file in (root / "keys" / "people").iterdir())
        print(
            json.dumps(
                {
                    "bench": "import",
                    "database": kind,
                    "people": told["new"],
                    "seconds": round(took, 1),
                    "looking_through_seconds": round(first, 1),
                    "people_per_second": round(told["new"] / took),
                    "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    "keys_and_indexes_mib": keys >> 20,
                    "csv_mib": path.stat().st_size >> 20,
                }
            )
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")

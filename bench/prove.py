"""How long the proofs take against a running site: light and full, with a few people or a million in its database.

    python -m bench.prove [sqlite|postgresql] [--people N]

Prints one JSON line. A million people take some minutes to come in first.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import crowd
from bench.site import free_port, settings

_TROTH = [sys.executable, "-c", "from troth.cli import main; main()"]
_READY_SECONDS = 60


@contextlib.contextmanager
def _served(root: Path, log: Path) -> Iterator[None]:
    """`troth serve`, which tries nothing by itself, and logs to a file as it would for an operator."""
    quiet = {"TROTH_PROMISES__PROVE_MINUTES": "0"}
    with log.open("wb") as says:
        command = [*_TROTH, "serve", "--one-user", "--site", str(root)]
        process = subprocess.Popen(command, stdout=says, stderr=says, env={**os.environ, **quiet})
    try:
        until = time.monotonic() + _READY_SECONDS
        while b"serving" not in log.read_bytes() or not list((root / "public").iterdir()):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        time.sleep(6)  # until the supervisor has written down who serves
        yield
    finally:
        process.terminate()
        process.wait(60)


def _prove(root: Path, *words: str) -> tuple[float, dict[str, Any]]:
    begun = time.monotonic()
    command = [*_TROTH, "prove", "--json", "--site", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if not done.stdout.startswith("{"):
        raise SystemExit(done.stderr)
    return seconds, json.loads(done.stdout)


def _slowest(told: dict[str, Any]) -> dict[str, float]:
    times = {proof["id"]: proof["ms"] / 1000 for promise in told["promises"] for proof in promise["proofs"]}
    return {name: round(times[name], 2) for name in sorted(times, key=lambda one: -times[one])[:5]}


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("database", nargs="?", default="sqlite", choices=("sqlite", "postgresql"))
    asked.add_argument("--people", type=int, default=1000)
    options = asked.parse_args(arguments)
    with crowd.server(options.database) as url, tempfile.TemporaryDirectory(prefix="troth-prove-") as folder:
        root = crowd.make(Path(folder) / "site", url)
        crowd.write(root.parent / "people.csv", options.people)
        crowd.take_in(root.parent / "people.csv")
        from django.db import connections

        connections.close_all()
        (root / "troth.toml").write_text(
            settings(free_port(), free_port(), smtp=9, proof=True, database=url), encoding="utf-8"
        )
        with _served(root, root.parent / "troth.log"):
            found = {words or "full": _prove(root, *([words] if words else [])) for words in ("--light", "")}
        size = sum(path.stat().st_size for path in (root / "data").rglob("*") if path.is_file())
    print(
        json.dumps(
            {
                "bench": "prove",
                "database": options.database,
                "people": options.people,
                "light_seconds": round(found["--light"][0], 1),
                "full_seconds": round(found["full"][0], 1),
                "data_mib": size >> 20,
                "states": {one["id"]: one["state"] for one in found["full"][1]["promises"]},
                "not_kept": [
                    f"{proof['id']}: {proof['detail']}"
                    for _, told in found.values()
                    for promise in told["promises"]
                    for proof in promise["proofs"]
                    if proof["state"] != "kept"
                ],
                "slowest_seconds": _slowest(found["full"][1]),
            }
        )
    )


if __name__ == "__main__":
    main()

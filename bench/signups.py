"""Sealed and synced sign-ups a second for one front, beside the rate at which the same core seals and nothing else.

One run: seal alone, then all the load the connections carry, then half of the asked rate at even steps, then seal alone
again (the mean of both is the yardstick: the machine may be shared). Prints one JSON line.
"""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from bench.site import Running, running
from troth.core.personal import EmailAddress, PersonName
from troth.newsletter.entry import Signup
from troth.vault.envelope import OpeningKey, SealingKey

GOAL = 1500
SECONDS = 8


def seal_alone(seconds: float = 2.0) -> float:
    """Envelopes a second on one core, with nothing around it."""
    opening = OpeningKey(uuid.uuid4(), 1, OpeningKey.generate())
    key = SealingKey(opening.site, 1, opening.public)
    entry = Signup(email=EmailAddress("p1000@example.com"), name=PersonName("Person 1000"), wording=bytes(32))
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        key.seal(entry)
        done += 1
    return done / (time.perf_counter() - begun)


def drive(site: Running, bodies: list[str], rate: float | None) -> dict[str, Any]:
    """Let the load generator loose, in a process of its own."""
    job = {"port": site.port, "path": "/newsletter", "bodies": bodies, "connections": 32, "rate": rate}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps({**job, "seconds": SECONDS}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


def main() -> None:
    """Measure and print."""
    before = seal_alone()
    with running(proof=True) as site:
        worker = site.supervisor.processes()["worker"]
        subprocess.run(["kill", "-STOP", str(worker)], check=True)  # what the front and clerk do, not what intake does
        full = drive(site, site.bodies(SECONDS * 4000, proof=True), None)
        half = drive(site, site.bodies(SECONDS * GOAL // 2 + 500, proof=True, tag="h"), GOAL / 2)
        memory = resident_mib(site.supervisor.processes()["front 0"])
        subprocess.run(["kill", "-CONT", str(worker)], check=True)
    alone = (before + seal_alone()) / 2
    print(
        json.dumps(
            {
                "bench": "signups",
                "signups_per_second": full["per_second"],
                "p99_ms_at_750": half["p99_ms"],
                "p50_ms_at_750": half["p50_ms"],
                "seal_alone_per_second": round(alone),
                "ratio_to_seal_alone": round(full["per_second"] / alone, 3),
                "front_mib": memory,
                "refused": {key: n for run in (full, half) for key, n in run["statuses"].items() if key != "303"},
            }
        )
    )


if __name__ == "__main__":
    main()

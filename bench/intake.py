"""Filed sign-ups a second: the whole intake, from sealed frames in the spool to committed rows, on both databases.

A spool full of sealed sign-ups of different people is drained by the worker's own intake, in a process that does
nothing else: open, look up, allot a key, index, box, insert, ledger, queue the mail, commit, move on. Beside it stands
the rate at which the same core opens envelopes and nothing else. PostgreSQL is left out where its binaries are missing.

    python -m bench.intake [--count 6000]

Prints one JSON line.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.site import settings
from trial.postgres import Postgres, binaries
from troth.core import clock, frames
from troth.core.entry import Kind
from troth.core.epochs import epoch_of
from troth.core.personal import EmailAddress, PersonName
from troth.core.site import Site
from troth.newsletter.entry import Signup, wording_digest
from troth.operate import create_site
from troth.vault.envelope import OpeningKey, SealingKey

GOAL = 500
CONSENT = "Yes."
_SEGMENT_BYTES = 8 << 20
_ALONE = 1500


def fill(site: Site, count: int) -> float:
    """Write a spool of `count` sealed sign-ups; returns how many envelopes a second this core opens alone."""
    epoch = epoch_of(clock.now())
    path = site.seal_keys / f"{epoch}.key"
    if not path.exists():
        path.write_bytes(OpeningKey.generate())
    opening = OpeningKey(uuid.UUID(site.site_id.read_text().strip()), epoch, path.read_bytes())
    sealing = SealingKey(opening.site, epoch, opening.public)
    envelopes = [
        sealing.seal(
            Signup(
                EmailAddress(f"p{number}@example.com"), PersonName(f"Person {number}"), wording=wording_digest(CONSENT)
            )
        )
        for number in range(count)
    ]
    _write(site.spool, envelopes)
    begun = time.perf_counter()
    for envelope in envelopes[:_ALONE]:
        opening.open(envelope, Signup)
    return min(_ALONE, count) / (time.perf_counter() - begun)


def _write(folder: Path, envelopes: list[bytes]) -> None:
    sequence, data = 1, bytearray(frames.header(1))
    for envelope in envelopes:
        if len(data) >= _SEGMENT_BYTES:
            (folder / frames.segment_name(sequence)).write_bytes(data)
            sequence += 1
            data = bytearray(frames.header(sequence))
        data += frames.frame(sequence, len(data), int(Kind.SIGNUP), envelope)
    (folder / frames.segment_name(sequence)).write_bytes(data)


def drain() -> None:
    """In a process of its own, on the site that TROTH_SITE names: file everything, print how long it took."""
    import django

    django.setup()
    from django.core.management import call_command

    from troth.gate.models import Delivery
    from troth.newsletter import consent_texts
    from troth.vault.keeper import keeper
    from troth.worker.intake import Intake

    call_command("migrate", verbosity=0, interactive=False)
    consent_texts.keep(CONSENT)
    keeper().check()
    intake, begun = Intake(), time.perf_counter()
    while intake.turn().moved:
        pass
    took = time.perf_counter() - begun
    print(json.dumps({"filed": Delivery.objects.count(), "seconds": took}))


def measure(count: int, database: str) -> tuple[float, float]:
    """(filed a second, opened alone a second) for one database."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
        site = Site(Path(folder) / "site")
        create_site.init(site.root, name="Example Software", url="http://127.0.0.1:18300")
        site.config.write_text(settings(18300, 18301, smtp=9, proof=False, database=database))
        alone = fill(site, count)
        done = subprocess.run(
            [sys.executable, "-m", "bench.intake", "--drain"],
            env={**os.environ, "TROTH_SITE": str(site.root), "DJANGO_SETTINGS_MODULE": "troth.django_settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        assert told["filed"] == count, told
        return count / told["seconds"], alone


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=6000)
    options.add_argument("--drain", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.drain:
        return drain()
    found: dict[str, Any] = {"bench": "intake", "goal": GOAL}
    with ExitStack() as stack:
        databases = {"sqlite": ""}
        if binaries():
            databases["postgresql"] = stack.enter_context(Postgres()).url
        for name, url in databases.items():
            filed, alone = measure(chosen.count, url)
            found[f"{name}_per_second"] = round(filed)
            found[f"{name}_ratio_to_open_alone"] = round(filed / alone, 3)
            found["open_alone_per_second"] = round(alone)
    print(json.dumps(found))
    return None


if __name__ == "__main__":
    main()

"""How long a backup of many people takes, and a restore of it: SQLite, or PostgreSQL.

    python -m bench.backup [--people 1000000] [--database sqlite|postgresql] [--restore]

People are filed as intake files them, in a process of its own. Prints one JSON line.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.site import free_port, settings
from trial.postgres import Postgres
from troth import scaffold

_GOAL_SECONDS = 180
_FILL = """
import os, sys
os.environ["TROTH_SITE"] = sys.argv[1]; os.environ["DJANGO_SETTINGS_MODULE"] = "troth.settings"
import django; django.setup()
from django.core.management import call_command
from django.db import transaction
from troth.ground.ids import new_id
from troth.ground.personal import EmailAddress, PersonName
from troth.letters.entry import Signup
from troth.letters.services import came, file_signups
from troth.vault.keeper import keeper
call_command("migrate", verbosity=0); keeper().check()
for start in range(0, int(sys.argv[2]), 2000):
    with transaction.atomic():
        file_signups([came(new_id(), Signup(
            email=EmailAddress(f"p{n}@example.com"), name=PersonName(f"Ada Example {n}"), wording=bytes(32)))
            for n in range(start, min(start + 2000, int(sys.argv[2])))])
"""


def measure(people: int, database: str, folder: Path, *, restores: bool) -> dict[str, Any]:
    """Fill a site in `folder`, back it up, and restore it elsewhere (SQLite)."""
    root, into = folder / "site", folder / "backups"
    made = scaffold.init(root)
    (root / "troth.toml").write_text(settings(free_port(), free_port(), smtp=9, proof=False, database=database))
    (folder / "paper").write_text("\n".join(made.recovery))
    into.mkdir()
    subprocess.run([sys.executable, "-c", _FILL, str(root), str(people)], check=True)
    troth = str(Path(sys.executable).with_name("troth"))
    began = time.monotonic()
    subprocess.run([troth, "backup", str(into), "--site", str(root), "--json"], check=True, stdout=subprocess.DEVNULL)
    told: dict[str, Any] = {"backup_seconds": round(time.monotonic() - began, 1)}
    told["mib"] = {path.name[:4]: path.stat().st_size >> 20 for path in into.iterdir()}
    if restores and not database:
        began = time.monotonic()
        command = [troth, "restore", str(into), "--to", str(folder / "new"), "--recovery-key", str(folder / "paper")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        told["restore_seconds"] = round(time.monotonic() - began, 1)
    return told


def main() -> None:
    """Measure; one JSON line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--restore", action="store_true")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="troth-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=not os.environ.get("TROTH_KEEP"))
        url = stack.enter_context(Postgres()).url if chosen.database == "postgresql" else ""
        told = measure(chosen.people, url, folder, restores=chosen.restore)
    about = {"bench": "backup", "database": chosen.database, "people": chosen.people, "goal_seconds": _GOAL_SECONDS}
    print(json.dumps({**about, **told}))


if __name__ == "__main__":
    main()

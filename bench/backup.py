"""How long a backup of 1,000,000 people takes, and a restore of it elsewhere, on SQLite or PostgreSQL.

    python -m bench.backup [sqlite|postgresql] [--restore]

Both by the commands `troth backup` and `troth restore`, each in a process of its own. `bench.crowd` says how many
people and where they are kept. Beside it stands how long this disk takes to write as many bytes as the backup has, and
keep them. Prints one JSON line.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import crowd, desk
from troth.backup import recovery_key
from troth.core.site import Site

GOAL_SECONDS = 180
_PART = 1 << 20


def run(*arguments: str | Path, **environment: str) -> float:
    """Seconds that one of Troth's commands takes."""
    command = [Path(sys.executable).with_name("troth"), *arguments]
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    return time.monotonic() - begun


def written_alone(folder: Path, size: int) -> float:
    """Seconds to write so many bytes and have them kept."""
    part, begun = os.urandom(_PART), time.monotonic()
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(0, size, _PART):
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return time.monotonic() - begun


def elsewhere(url: str) -> str:
    """The address of an empty database beside this one; nothing for SQLite."""
    if not url:
        return ""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        connection.execute("CREATE DATABASE restored")
    return url.rpartition("/")[0] + "/restored"


def measure(root: Path, folder: Path, *, restores: bool) -> dict[str, Any]:
    """Back the site in `root` up into `folder`; with `restores`, restore it there."""
    paper, into = folder / "paper", folder / "backups"
    paper.write_text("\n".join(recovery_key.replace(Site(root)).lines()))
    into.mkdir()
    took = run("backup", into, "--site", root, "--json")
    sizes = {path.name[:4]: path.stat().st_size for path in into.iterdir()}
    alone = written_alone(folder, sum(sizes.values()))
    told = {
        "backup_seconds": round(took, 1),
        "backup_mib": {name: size >> 20 for name, size in sizes.items()},
        "written_alone_seconds": round(alone, 1),
        "ratio_to_writing_alone": round(took / alone, 1),
    }
    if restores:
        from django.conf import settings

        url = elsewhere(settings.TROTH_CONFIG.database.url)
        took = run("restore", into, "--to", folder / "new", "--recovery-key", paper, TROTH_DATABASE__URL=url)
        told["restore_seconds"] = round(took, 1)
    return told


def main() -> None:
    """Measure; one JSON line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("database", choices=["sqlite", "postgresql"], nargs="?", default="sqlite")
    options.add_argument("--restore", action="store_true")
    chosen = options.parse_args()
    with crowd.filled(chosen.database) as root:
        desk.lay()
        folder = Path(tempfile.mkdtemp(prefix="troth-bench-", dir=root.parent))
        try:
            told = measure(root, folder, restores=chosen.restore)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    about = {"bench": "backup", "database": chosen.database, "people": crowd.COUNT, "goal_seconds": GOAL_SECONDS}
    print(json.dumps({**about, **told, "load": crowd.load()}))


if __name__ == "__main__":
    main()

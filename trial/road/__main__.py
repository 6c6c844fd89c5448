"""The road that docs/serve.md describes, walked to its end on a bare Debian 13.

    python -m trial.road [--keep FOLDER] [--only WALK]

A debootstrapped Debian 13 boots with systemd as PID 1; in it root types the guide, line by line (`trial.road.inside`).
Ends with 1 where a step fails, and where this machine can boot no such machine: then nothing was tried, and it says so.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from trial.road import machine

_SERVICE = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory=/opt/troth
ExecStart=-/opt/troth/.venv/bin/python -m trial.road.inside
ExecStopPost=/usr/bin/systemctl poweroff --no-block
TimeoutStartSec=infinity
StandardOutput=file:/road.log
StandardError=file:/road.log
"""
_SECONDS = 3000.0


def main() -> int:
    """Walk it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", metavar="FOLDER", type=Path, help="copy logs and units there")
    options.add_argument("--only", choices=["sqlite", "one-user", "postgresql"], action="append", help="not all three")
    chosen = options.parse_args()
    try:
        machine.check()
        print("→ a Debian 13 of its own (debootstrapped the first time: some minutes)", flush=True)
        with machine.machine() as root:
            units = root / "etc/systemd/system"
            (units / "road.service").write_text(_SERVICE)
            wants = units / "multi-user.target.wants"
            wants.mkdir(exist_ok=True)
            for name in ("caddy", "nginx", "postgresql"):  # the guide's reader starts them when they are set up
                (wants / f"{name}.service").unlink(missing_ok=True)
            (wants / "road.service").symlink_to("../road.service")
            (root / "road-walks").write_text(" ".join(chosen.only or ["sqlite", "one-user", "postgresql"]))
            said = machine.boot(root, _SECONDS)
            result = _result(root)
            if chosen.keep:
                shutil.rmtree(chosen.keep, ignore_errors=True)
                _keep(root, said, chosen.keep)
    except machine.CannotBoot as error:
        print(f"✗ The road was NOT tried. {error}", file=sys.stderr)
        return 1
    failed = [step for step in result if not step["held"]]
    print(json.dumps({"trial": "road", "held": bool(result) and not failed, "steps": len(result), "failed": failed}))
    return int(not result or bool(failed))


def _result(root: Path) -> list[dict[str, object]]:
    path = root / "road.json"
    told: list[dict[str, object]] = json.loads(path.read_text()) if path.exists() else []
    if not told or told[-1]["step"] != "the end":
        told.append({"step": "the end", "held": False, "why": "the walk was broken off"})
    return told


def _keep(root: Path, said: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "console").write_text(said)
    for name in ("road.log", "road.json", "var/log/journal", "etc/systemd/system"):
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / Path(name).name, symlinks=True, dirs_exist_ok=True)
        elif (root / name).exists():
            shutil.copy2(root / name, folder)


if __name__ == "__main__":
    sys.exit(main())

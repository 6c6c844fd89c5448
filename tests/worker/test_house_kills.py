"""WALL 4 with the whole house: a sample of the trial that `make trial` runs a thousand times, on real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import new_site

ROOT = Path(__file__).resolve().parents[2]


def compare(site: Path, accepted: list[int], mails: dict[str, int]) -> dict[str, int]:
    """What the trial's comparison says."""
    done = subprocess.run(
        [sys.executable, "-m", "trial.compare"],
        input=json.dumps({"accepted": accepted, "mails": mails}),
        env={**os.environ, "TROTH_SITE": str(site)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A site in which nobody is filed."""
    return new_site.create(tmp_path / "site", name="Example Software", url="http://127.0.0.1:18300").root


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_dozen_kills_lose_nothing_acknowledged_and_double_nothing_unnoticed(database: str) -> None:
    rounds = ["--rounds", "12", "--rate", "100", "--every", "0.5", "--outage", "2", "--quiet", "6"]
    done = subprocess.run(
        [sys.executable, "-m", "trial.kills", *rounds, "--database", database],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert sum(told["kills"].values()) == 12
    assert min(told["kills"].get(role, 0) for role in ("front", "clerk", "worker", "office")) >= 1
    assert told["acknowledged"] > 300
    assert told["acknowledged_not_filed"] == told["doubled_unnoticed"] == told["filed_twice"] == 0
    assert told["spool_bytes_waiting"] == 0


def test_the_comparison_sees_what_was_lost_and_what_was_doubled(empty: Path) -> None:
    told = compare(empty, [1, 2], {"<once@example.com>": 1, "<twice@example.com>": 2})
    assert told["acknowledged_not_filed"] == 2
    assert told["missing_numbers"] == [1, 2]
    assert told["doubled_unnoticed"] == 1
    assert told["mails_of_nobody"] == 2

"""What is committed: no registry's address, no machine's path, no key, nothing third-party."""

import re

from tests.contracts.source import ROOT, called, committed

_LARGEST = 512 * 1024

# Written in pieces, so that this file does not find itself.
_ADDRESSES = re.compile(
    "|".join(
        [
            r"registry\." + r"npmjs",
            r"files\." + r"pythonhosted",
            r"pypi\." + r"org/simple",
            r"--(?:extra-)?index-" + r"url",
            r"--find-" + r"links",
            r'"resolved"' + r": *\"",
            r"proxy\." + r"golang",
        ]
    )
)
_PLACES = re.compile(r"(?<![\w.])/(?:work|tmp/team|tmp/x|root|home/[a-z]+)/" + r"[\w.-]+")
_KEYS = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE" + r" KEY-----\s+[A-Za-z0-9+/=]{40}")


def _with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in committed():
        text = path.read_text("utf-8", "replace")
        found += [f"{called(path)}: {one[0]}" for one in pattern.finditer(text)]
    return found


def test_no_registrys_address():
    assert _with(_ADDRESSES) == []


def test_no_path_of_somebodys_machine():
    assert _with(_PLACES) == []


def test_no_private_key():
    assert _with(_KEYS) == []


def test_every_locked_package_has_hashes():
    for lock in (ROOT / "locks").glob("*.txt"):
        for entry in re.split(r"\n(?=\S)", lock.read_text().strip()):
            assert "==" in entry.split()[0] or " @ " not in entry, (lock.name, entry[:60])
            assert "--hash=sha256:" in entry, (lock.name, entry[:60])


def test_no_file_is_large_but_locks_and_pictures():
    found = [called(path) for path in committed() if path.stat().st_size > _LARGEST]
    assert found == []


def test_ci_runs_make_test_and_nothing_else():
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ['cd "$(dirname "$0")/.." && exec make test']

"""`tools/check_names.py`: what it refuses, and that good names pass."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check(folder, **files):
    """Exit code and lines for a folder with these files."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_names.py", folder], capture_output=True, text=True, check=False
    )
    return done.returncode, [line.removeprefix(f"{folder}/") for line in done.stderr.splitlines()]


def test_good_names_pass(tmp_path):
    assert check(tmp_path, a__b="def f(row):\n    return [cell for cell in row]\n") == (0, [])


def test_vague_names_are_refused_wherever_they_are_bound(tmp_path):
    text = "def f(who, *, told):\n    return [one for one in who] + [found := 1]\n"
    text += "class A:\n    gone: int\n    def f(self):\n        made: int = 1\n"
    code, lines = check(tmp_path, a__b=text)
    assert code == 1
    assert sorted(line.split(": ")[1].split()[0] for line in lines) == ["found", "made", "one", "told", "who"]


def test_two_public_classes_of_one_name_in_a_package_are_refused(tmp_path):
    code, lines = check(tmp_path, a__b="class Row: ...\n", a__c__d="class Row: ...\n", e__f="class Row: ...\n")
    assert (code, lines) == (
        1,
        ["a/b.py:1: Row is the name of two classes", "a/c/d.py:1: Row is the name of two classes"],
    )


def test_private_classes_and_those_of_other_packages_may_share_a_name(tmp_path):
    assert check(tmp_path, a__b="class _Row: ...\n", a__c="class _Row: ...\n", d__e="class Row: ...\n") == (0, [])

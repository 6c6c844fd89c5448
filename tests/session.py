"""What all tests of one session share: an order, a temporary folder in memory, and Troth's own code compiled.

Troth waits for the disk before it says that it kept something, and the tests have it say so many thousand times; in
memory the same calls are made and return at once. Nobody pulls a plug here: `trial/` and `bench/` stay on the disk.
"""

import compileall
import contextlib
import fcntl
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import troth

LONG = (
    "browser",  # first, all of it on end: its house and its Chromium stand until a test of another folder comes
    "proofs/test_mutants.py",
    "worker/test_house_kills.py",
    "backup/test_restore_drill.py",
    "worker/test_lost_keys.py",
    "backup/test_killed_restores.py",
    "worker/test_whole_house.py",
    "worker/test_visits_nowhere.py",
    "backup/test_bad_restores.py",
    "demo/test_demo.py",
    "proofs/test_prove_process.py",
    "worker/test_counting_house.py",
    "worker/test_moved_files.py",
    "worker/test_alarm.py",
    "worker/test_linkage.py",
    "cli/test_proxy_config.py",
    "audience/test_exclusions.py",
)
"""What takes longest, begun first: at the end a worker that has nothing left waits for short ones only."""

MEMORY = Path("/dev/shm")
_TESTS = Path(__file__).parent
_FOR_PYTEST = re.compile(r"/(test_[^/]*|conftest)\.py$")
"""What pytest compiles itself, with its own `assert`."""
_NAME = "tests-"
_SETTLED = 60.0
"""Seconds after which a folder that nobody holds is no longer one that is just being made."""
_ENOUGH = 4 << 30
"""Bytes that a session may come to need there, most of them for databases."""


def _is_good(place: Path) -> bool:
    """Whether there is such a place, with room, and programs that tests write may run there."""
    try:
        room = os.statvfs(place)
    except OSError:
        return False
    return os.access(place, os.W_OK) and room.f_bavail * room.f_frsize >= _ENOUGH and not room.f_flag & os.ST_NOEXEC


def _locked(folder: Path) -> int | None:
    """An open folder that is ours alone for as long as it is open; None where somebody else has it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    return opened


def _sweep() -> None:
    """Give back the memory of sessions that were killed before they could: nobody holds what is theirs."""
    for left in MEMORY.glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):  # another session was quicker, or it is another user's
            if left.stat().st_mtime < time.time() - _SETTLED and (opened := _locked(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(opened)


def begin() -> Path | None:
    """Before the first test: where its temporary files go from now on, if that is not what it was."""
    # Each child starts from source otherwise: Python writes down what it compiled for nobody who tells it not to.
    compileall.compile_dir(Path(troth.__file__).parent, quiet=2)
    for folder in ("bench", "tests", "trial"):
        compileall.compile_dir(_TESTS.parent / folder, quiet=2, rx=_FOR_PYTEST)
    if "TMPDIR" in os.environ or not _is_good(MEMORY):
        return None
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=MEMORY))
    _locked(folder)  # open until this process ends, however it ends
    folder.chmod(0o711)  # children that are other users pass through to what is theirs
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def share(args: list[str], number: int, count: int) -> list[str]:
    """What the `number`th of `count` workers collects: all tests, each worker from another folder on, so that it
    finds compiled what the others began with. Compiling takes half of the time."""
    sys.dont_write_bytecode = False
    if [Path(arg).resolve() for arg in args] != [_TESTS]:
        return args
    places = sorted(
        str(path) for path in _TESTS.iterdir() if path.match("test_*.py") or (path / "__init__.py").exists()
    )
    start = len(places) * number // count
    return places[start:] + places[:start]


def place_of(path: Path) -> tuple[int, str]:
    """Where the tests of this file come in the order of the session."""
    name = path.relative_to(_TESTS).as_posix()
    return next((at for at, start in enumerate(LONG) if name.startswith(start)), len(LONG)), name


def end(folder: Path | None) -> None:
    """After the last test."""
    if folder is not None:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)

"""What all tests of one session share: a temporary folder in memory, and Troth's own code compiled.

Troth waits for the disk before it says that it kept something, and the tests have it say so many thousand times; in
memory the same calls are made and return at once. Nobody pulls a plug here: `trial/` and `bench/` stay on the disk.
"""

import compileall
import os
import shutil
import tempfile
from pathlib import Path

import troth

MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30
"""Bytes that a session may come to need there, most of them for databases."""


def _is_good(place: Path) -> bool:
    """Whether there is such a place, with room, and programs that tests write may run there."""
    try:
        room = os.statvfs(place)
    except OSError:
        return False
    return os.access(place, os.W_OK) and room.f_bavail * room.f_frsize >= _ENOUGH and not room.f_flag & os.ST_NOEXEC


def begin() -> Path | None:
    """Before the first test: where its temporary files go from now on, if that is not what it was."""
    # Each child starts from source otherwise: Python writes down what it compiled for nobody who tells it not to.
    compileall.compile_dir(Path(troth.__file__).parent, quiet=2)
    if "TMPDIR" in os.environ or not _is_good(MEMORY):
        return None
    folder = Path(tempfile.mkdtemp(prefix="troth-", dir=MEMORY))
    folder.chmod(0o711)  # children that are other users pass through to what is theirs
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def end(folder: Path | None) -> None:
    """After the last test."""
    if folder is not None:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)

"""Where intake keeps the sealed bytes of what it could not file."""

from pathlib import Path


def aside_path(folder: Path, segment: int, offset: int) -> Path:
    """Where the sealed bytes of what stood there are kept."""
    return folder / f"{segment:016x}-{offset:08x}.sealed"

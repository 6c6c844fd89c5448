"""What lay in the backup folder when `troth backup` last ran, in `data/backups.json`: office and worker may not look
there."""

from datetime import datetime
from pathlib import Path

import msgspec

from troth.core.disk import read_plain, write_synced
from troth.core.site import Site


class BackupFile(msgspec.Struct, frozen=True):
    """One file of ours. `kind`: `data` or `keys`."""

    name: str
    kind: str
    made_at: datetime
    size: int
    """Bytes."""


class Backups(msgspec.Struct, frozen=True):
    """The folder, and when it was looked at."""

    folder: str
    looked_at: datetime
    files: list[BackupFile]

    def newest(self, kind: str) -> datetime | None:
        """Return when the newest of a kind was made."""
        return max((file.made_at for file in self.files if file.kind == kind), default=None)

    def oldest(self, kind: str) -> datetime | None:
        """Return when the oldest of a kind was made."""
        return min((file.made_at for file in self.files if file.kind == kind), default=None)


def path_in(site: Site) -> Path:
    """Return where it is written down."""
    return site.data / "backups.json"


def read(site: Site) -> Backups | None:
    """Return what was written down; None where no backup was made yet."""
    try:
        return msgspec.json.decode(read_plain(path_in(site)), type=Backups)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write(site: Site, backups: Backups) -> None:
    """Write it down, whole or not at all."""
    fresh = site.data / ".backups.new"
    write_synced(fresh, msgspec.json.encode(backups), mode=0o640)
    fresh.rename(path_in(site))

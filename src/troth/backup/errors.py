"""Errors of backups and restores."""

from troth.core.errors import TrothError


class BackupError(TrothError):
    """A backup cannot be made or read. Nothing was changed."""


class Foreign(BackupError):
    """Not a Troth backup, or one of another site."""


class Truncated(BackupError):
    """An incomplete backup."""


class Altered(BackupError):
    """A damaged or changed backup."""


class WrongKey(BackupError):
    """The recovery key is invalid, or does not decrypt this backup."""


class TooNew(BackupError):
    """Created by a later version of Troth."""


class Apart(BackupError):
    """Key store and data that do not belong together."""


class DiskFull(BackupError):
    """The disk is full."""

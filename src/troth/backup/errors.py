"""What goes wrong with backups, each with a word of its own."""

from troth.core.errors import TrothError


class BackupError(TrothError):
    """A backup cannot be made or read. Nothing was changed."""


class Foreign(BackupError):
    """No backup of Troth, or one of another site."""


class Truncated(BackupError):
    """A backup that ends before its end."""


class Altered(BackupError):
    """A backup whose bytes are not those that were written."""


class WrongKey(BackupError):
    """The recovery key does not open this backup, or is not written as one."""


class TooNew(BackupError):
    """Made by a later version of Troth than this one."""


class Apart(BackupError):
    """Key store and data that do not belong together."""


class DiskFull(BackupError):
    """There is no room for it."""

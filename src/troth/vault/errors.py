"""The vault's errors. None contains a person's details."""

from troth.core.errors import TrothError


class VaultError(TrothError):
    """Something the vault refuses or cannot do."""


class KeyStoreError(VaultError):
    """The key store is missing, damaged, or belongs to other data."""


class KeyErased(VaultError):
    """The person was erased: their records can never be read again."""


class WrongPurpose(VaultError):
    """A record was requested for a purpose that is not its own."""


class RecordDamaged(VaultError):
    """A record does not decrypt: altered, moved to another person, or filed for another purpose."""


class RetentionRefused(VaultError):
    """What was asked of a record that a law requires to be kept is not allowed."""

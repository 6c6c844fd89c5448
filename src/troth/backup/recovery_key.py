"""The recovery key: its public half lies in `keys/recovery.pub`, its private half on the operator's paper only.

The private half is a seed of 32 bytes, from which HKDF-SHA256 draws the keys of the hybrid KEM that envelopes use, too
(ML-KEM-768 + X25519). It is written as 56 letters and digits (Crockford's base32: no I, L, O, U), of which the last
five stand for a checksum of 24 bits: a slip of the pen is told, before any backup is looked at.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.backup.errors import BackupError, WrongKey
from troth.core.disk import sync_folder, write_synced
from troth.core.site import Site

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans("OIL", "011")
_SEED, _SUM = 32, 3
_LETTERS = (_SEED + _SUM) * 8 // 5
_MLKEM_PUBLIC = 1184
_HEAD = "troth-recovery-1 "
_MEND = "Make one with `troth recovery-key new`, and write down what it shows."


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryKey:
    """The private half. `seed`: 32 bytes."""

    seed: bytes

    @classmethod
    def generate(cls) -> "RecoveryKey":
        """A fresh one."""
        return cls(os.urandom(_SEED))

    @classmethod
    def read(cls, text: str) -> "RecoveryKey":
        """The key that was written down: case, spaces, dashes and the letters that look alike do not matter.

        Raises `WrongKey`, which says what is the matter and quotes nothing.
        """
        bare = "".join(char for char in text.upper().translate(_MEANT) if not char.isspace() and char != "-")
        if len(bare) != _LETTERS:
            raise WrongKey(
                f"A recovery key has {_LETTERS} letters and digits; this has {len(bare)}.", mend="Look at it again."
            )
        if any(char not in _ALPHABET for char in bare):
            raise WrongKey("There is a sign in it that no recovery key has.", mend="Look at it again.")
        number = 0
        for char in bare:
            number = number << 5 | _ALPHABET.index(char)
        raw = number.to_bytes(_SEED + _SUM)
        if _sum(raw[:_SEED]) != raw[_SEED:]:
            raise WrongKey("A letter of the recovery key is wrong: it does not add up.", mend="Look at it again.")
        return cls(raw[:_SEED])

    def lines(self) -> tuple[str, str]:
        """How it is written down: two lines of seven groups of four."""
        number = int.from_bytes(self.seed + _sum(self.seed))
        bare = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LETTERS)))
        groups = [bare[start : start + 4] for start in range(0, _LETTERS, 4)]
        return " ".join(groups[:7]), " ".join(groups[7:])

    def private(self) -> MLKEM768X25519PrivateKey:
        """The key that opens backups."""
        mlkem, x25519 = self._halves()
        return MLKEM768X25519PrivateKey(mlkem, x25519)

    def public(self) -> "PublicHalf":
        """The half that stays with the site."""
        mlkem, x25519 = self._halves()
        return PublicHalf(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        drawn = HKDF(SHA256(), 96, salt=None, info=b"troth recovery v1").derive(self.seed)
        return MLKEM768PrivateKey.from_seed_bytes(drawn[:64]), X25519PrivateKey.from_private_bytes(drawn[64:])


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What backups are encrypted to. `raw`: ML-KEM-768's 1,184 bytes, then X25519's 32."""

    raw: bytes

    @property
    def mark(self) -> bytes:
        """Eight bytes by which a backup says which recovery key opens it."""
        return blake2b(self.raw, digest_size=8, person=b"troth recovery").digest()

    def key(self) -> MLKEM768X25519PublicKey:
        """The key that seals backups."""
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC:]),
        )

    def text(self) -> str:
        """What stands in `keys/recovery.pub`."""
        return f"{_HEAD}{base64.b64encode(self.raw).decode()}\n"


def public_half(site: Site) -> PublicHalf:
    """The site's. Raises `BackupError` where there is none, or it makes no sense."""
    try:
        text = site.recovery_key.read_text("ascii")
        half = PublicHalf(base64.b64decode(text.removeprefix(_HEAD), validate=False))
        if not text.startswith(_HEAD):
            raise ValueError
        half.key()
    except FileNotFoundError:
        raise BackupError("This site has no recovery key, so nothing could open a backup.", mend=_MEND) from None
    except (ValueError, binascii.Error):
        raise BackupError("keys/recovery.pub is not a recovery key's public half.", mend=_MEND) from None
    return half


def replace(site: Site) -> RecoveryKey:
    """Give the site a new recovery key and return it, to be shown once. Older backups go on wanting the older one."""
    key = RecoveryKey.generate()
    fresh: Path = site.keys / ".recovery.new"
    write_synced(fresh, key.public().text().encode("ascii"), mode=0o644)
    fresh.rename(site.recovery_key)
    sync_folder(site.keys)  # the operator is about to throw the former key away
    return key


def _sum(seed: bytes) -> bytes:
    return blake2b(seed, digest_size=_SUM, person=b"troth recovery").digest()

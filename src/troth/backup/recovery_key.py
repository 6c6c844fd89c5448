"""The recovery key: its public half is in `keys/recovery.pub`, its private half only on the operator's paper.

The private half is a seed of 32 bytes, from which HKDF-SHA256 (RFC 5869) derives the keys of the hybrid KEM that
envelopes use (ML-KEM-768 + X25519). It is written as 56 letters and digits (Crockford's base32, without I, L, O, U);
the last five are a checksum of 24 bits, which detects typing errors before any backup is read.
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
        """Generate a new key."""
        return cls(os.urandom(_SEED))

    @classmethod
    def read(cls, text: str) -> "RecoveryKey":
        """Parse a key as written down: case, spaces, dashes and look-alike letters do not matter.

        Raises `WrongKey`, which says what is wrong and quotes nothing.
        """
        bare = "".join(char for char in text.upper().translate(_MEANT) if not char.isspace() and char != "-")
        if len(bare) != _LETTERS:
            raise WrongKey(
                f"A recovery key has {_LETTERS} letters and digits; this one has {len(bare)}.", mend="Please check it."
            )
        if any(char not in _ALPHABET for char in bare):
            raise WrongKey("It contains a character that no recovery key has.", mend="Please check it.")
        number = 0
        for char in bare:
            number = number << 5 | _ALPHABET.index(char)
        raw = number.to_bytes(_SEED + _SUM)
        if _sum(raw[:_SEED]) != raw[_SEED:]:
            raise WrongKey(
                "A character of the recovery key is wrong: its check digits do not match.", mend="Please check it."
            )
        return cls(raw[:_SEED])

    def lines(self) -> tuple[str, str]:
        """Return it as written down: two lines of seven groups of four."""
        number = int.from_bytes(self.seed + _sum(self.seed))
        bare = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LETTERS)))
        groups = [bare[start : start + 4] for start in range(0, _LETTERS, 4)]
        return " ".join(groups[:7]), " ".join(groups[7:])

    def private(self) -> MLKEM768X25519PrivateKey:
        """Return the key that decrypts backups."""
        mlkem, x25519 = self._halves()
        return MLKEM768X25519PrivateKey(mlkem, x25519)

    def public(self) -> "PublicHalf":
        """Return the half that stays with the site."""
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
        """Return eight bytes that tell which recovery key decrypts a backup."""
        return blake2b(self.raw, digest_size=8, person=b"troth recovery").digest()

    def key(self) -> MLKEM768X25519PublicKey:
        """Return the key that encrypts backups."""
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC:]),
        )

    def text(self) -> str:
        """Return the content of `keys/recovery.pub`."""
        return f"{_HEAD}{base64.b64encode(self.raw).decode()}\n"


def public_half(site: Site) -> PublicHalf:
    """Read the site's. Raises `BackupError` if it is missing or invalid."""
    try:
        text = site.recovery_key.read_text("ascii")
        half = PublicHalf(base64.b64decode(text.removeprefix(_HEAD), validate=False))
        if not text.startswith(_HEAD):
            raise ValueError
        half.key()
    except FileNotFoundError:
        raise BackupError("This site has no recovery key, so no backup could be decrypted.", mend=_MEND) from None
    except (ValueError, binascii.Error):
        raise BackupError("keys/recovery.pub is not the public half of a recovery key.", mend=_MEND) from None
    return half


def replace(site: Site) -> RecoveryKey:
    """Give the site a new recovery key and return it, to be shown once. Older backups still need the older one."""
    key = RecoveryKey.generate()
    fresh: Path = site.keys / ".recovery.new"
    write_synced(fresh, key.public().text().encode("ascii"), mode=0o644)
    fresh.rename(site.recovery_key)
    sync_folder(site.keys)  # the operator is about to throw the former key away
    return key


def _sum(seed: bytes) -> bytes:
    return blake2b(seed, digest_size=_SUM, person=b"troth recovery").digest()

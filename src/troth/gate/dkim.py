"""DKIM signatures (RFC 6376; RSA with SHA-256, RFC 8301), relaxed in header and body.

The signature covers `List-Unsubscribe` and `List-Unsubscribe-Post` (RFC 8058, section 4), and lists each field once
more than it occurs, so that nobody can add a second `From` under a valid signature. A signature takes under a
millisecond. May touch: the key's file, once.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from troth.core import clock
from troth.core.errors import TrothError

SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Reply-To", "References"),
)
"""The header fields that are covered, where a mail has them."""
_LEAST_BITS = 2048
_SPACES = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


class DkimError(TrothError):
    """A DKIM key that cannot be used."""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The private key of one selector, ready to sign. Its `repr` shows no key."""

    domain: str
    selector: str
    _key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def load(cls, path: Path, domain: str, selector: str) -> "DkimKey":
        """Read the key in the PEM file at `path`. Raises `DkimError` if it is missing, damaged, not RSA or too
        short."""
        return cls(_ascii(domain), _ascii(selector), _load(path))

    def sign(self, message: bytes) -> bytes:
        """Return the message with a DKIM-Signature. `message` is complete, with CRLF line ends."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        present = [name for name in SIGNED if name.lower().encode() in fields]
        unsigned = self._unsigned(present, hashlib.sha256(relaxed_body(body)).digest())
        signed = b"".join(_covered(fields, present)) + relaxed_field(unsigned)  # without the last CRLF (3.7)
        raw = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return unsigned + _wrapped(base64.b64encode(raw)) + b"\r\n" + message

    def _unsigned(self, present: list[str], body_hash: bytes) -> bytes:
        """Return the signature's own field with an empty `b=`, folded."""
        moment = int(clock.now().timestamp())
        start = f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};\r\n s={self.selector};"
        covered = _folded_names(tuple(present))
        text = f"{start} t={moment}; h={covered};\r\n bh={base64.b64encode(body_hash).decode()};\r\n b="
        return text.encode("ascii")


@lru_cache(maxsize=16)
def _folded_names(present: tuple[str, ...]) -> str:
    """Return the names of the covered fields, each twice: the second time there is none, and may be none."""
    names, lines = "", []
    for name in (name for name in present for _ in range(2)):
        if len(names) + len(name) > 70:
            lines.append(names)
            names = ""
        names += f"{name}:"
    lines.append(names.rstrip(":"))
    return "\r\n ".join(lines)


def dns_record(key_path: Path, selector: str, domain: str) -> tuple[str, str]:
    """Return the TXT record to publish: its name, and its value in one piece.

    Many name servers require a value over 255 characters in several quoted strings; see docs/mail.md.
    """
    public = _load(key_path).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"{_ascii(selector)}._domainkey.{_ascii(domain)}", f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def relaxed_body(body: bytes) -> bytes:
    """Canonicalise the body (RFC 6376, section 3.4.4): collapse spaces, drop them at line ends, and empty last
    lines."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    end = len(body) - body.endswith(b" ")
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def relaxed_field(line: bytes) -> bytes:
    """Canonicalise a header field (RFC 6376, section 3.4.2): lower-case name, unfolded, spaces collapsed."""
    if b"\r\n" in line:
        line = _FOLD.sub(b"", line)
    name, _, value = line.partition(b":")
    if b"  " in value or b"\t" in value:
        value = _SPACES.sub(b" ", value)
    return name.strip().lower() + b":" + value.strip()


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Return each field by its lower-case name. Our emails have each once; a repeated one is an error."""
    named_fields: dict[bytes, bytes] = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        name = line.partition(b":")[0].strip().lower()
        if name in named_fields:
            raise DkimError(f"The email has the header {name.decode('ascii', 'replace')} twice.")
        named_fields[name] = line
    return named_fields


def _covered(fields: dict[bytes, bytes], names: list[str]) -> list[bytes]:
    return [relaxed_field(fields[name.lower().encode()]) + b"\r\n" for name in names]


def _wrapped(text: bytes) -> bytes:
    return b"\r\n ".join(text[start : start + 72] for start in range(0, len(text), 72))


def _ascii(name: str) -> str:
    """Return a domain or selector in its DNS form. Raises `DkimError` if it is invalid."""
    try:
        # As the addresses of mails have it (UTS 46), not by the standard library's older rules: d= has to be the same.
        small = (name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")).lower().strip(".")
    except UnicodeError:
        small = ""
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?", small):
        raise DkimError(
            "The DKIM domain or selector is not a valid DNS name.",
            mend="Set `dkim_domain` and `dkim_selector` under [mail], such as example.com and troth.",
        )
    return small


def _load(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError:
        raise DkimError(
            f"The DKIM key {path.name} is not readable.",
            mend="Restore keys/dkim/ from your backup, or make a new key.",
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DkimError(
            f"The DKIM key {path.name} is not an unencrypted private key in PEM format.",
            mend="Restore keys/dkim/ from your backup, or make a new one: openssl genrsa -out FILE 2048",
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise DkimError(
            f"The DKIM key {path.name} is not an RSA key with at least {_LEAST_BITS} bits.",
            mend="Make one: openssl genrsa -out FILE 2048",
        )
    return key

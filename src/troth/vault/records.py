"""The content of records and its encryption: AES-256-GCM under a subkey of the person's key (C2).

    subkey = HMAC-SHA256(person's key, "troth record v1" | 0 | purpose)
    box    = version 1 | nonce 12 | ciphertext, with site, purpose, person, kind and record id as associated data

So a box can be decrypted only for its purpose, as this person's and in this place.

What a law requires to be kept is encrypted apart, under the key of a legal hold (`vault.legal_holds`):

    subkey = HMAC-SHA256(hold's key, "troth retained record v1" | 0 | duty | 0 | purpose)
    box    = version 2 | nonce 12 | ciphertext, with site, purpose, hold, record id and duty as associated data

No key and no box of one kind serves the other, even if the key's bytes were the same.
"""

import hmac
import os
import uuid
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.core.personal import BasicDetails, MessageText
from troth.core.purpose import Purpose
from troth.core.retention_duties import RetentionDuty
from troth.vault import codec
from troth.vault.errors import RecordDamaged

_VERSION, _RETAINED_VERSION = b"\x01", b"\x02"


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what a box may hold."""


class Details(Content, BasicDetails, frozen=True):
    """The contact details that one person gave (C1)."""

    @classmethod
    def of(cls, entry: BasicDetails) -> "Details":
        """Return the details in an entry."""
        return cls(**{name: getattr(entry, name) for name in BasicDetails.__struct_fields__})

    def over(self, before: "Details") -> "Details":
        """Return these details, with those that were left empty as they were `before`."""
        names = BasicDetails.__struct_fields__
        return Details(**{name: getattr(self, name) or getattr(before, name) for name in names})


class Consent(Content, frozen=True):
    """One step by which a person agreed, or took it back."""

    step: str
    """`asked` (the form was sent), `confirmed` (the link's button was pressed), `topics` (others were chosen), `left`,
    or `imported`: they had agreed elsewhere, as the operator's file says."""
    entry: uuid.UUID
    """The entry that brought it; of an import, its id."""
    at_ms: int
    """When, in milliseconds since 1970, by the front's clock; of an import, as the file says."""
    request: uuid.UUID | None = None
    wording: bytes | None = None
    """SHA-256 of the sentence that was agreed to."""
    source: str | None = None
    """Of an import: which file it came from."""
    topics: int | None = None
    """What was chosen in this step, a bit for each `Topic.number`: with `asked`, the boxes ticked; with `topics`, all
    that they have since."""
    policy: int | None = None
    """Number of the privacy policy's version that was in force; None where nobody knows."""


class Message(Content, frozen=True):
    """What a person wrote to us, or what was answered."""

    text: MessageText
    at_ms: int
    """When, in milliseconds since 1970: by the front's clock, or the office's."""
    entry: uuid.UUID | None = None
    """The entry that brought it; None for an answer."""
    sender: Details | None = None
    """The details that were typed beside it, which may not be the person's own; None for an answer."""


class MailData(Content, frozen=True):
    """What a program passed for a transactional email to this person: the values of its template's data fields."""

    data: dict[str, MessageText]
    """By the name of the field."""


class RetainedContent(Content, frozen=True):
    """Base of what a law requires to be kept."""

    number: str
    """By which it is found: the operator's own number, nobody's detail."""
    at_ms: int
    """When it was made, in milliseconds since 1970."""
    named: Details
    """Whom it is about, as it names them."""


class Invoice(RetainedContent, frozen=True):
    """An invoice as it was issued."""

    text: MessageText
    """What was bought, for how much, with which tax."""


DETAILS, PENDING, CONSENT, MESSAGE, ANSWER = "details", "pending", "consent", "message", "answer"
MAIL_DATA = "mail_data"
KINDS: dict[str, tuple[type[Content], Purpose]] = {
    DETAILS: (Details, Purpose.ADMINISTRATION),
    PENDING: (Details, Purpose.ADMINISTRATION),
    CONSENT: (Consent, Purpose.IDENTIFICATION),
    MESSAGE: (Message, Purpose.ADMINISTRATION),
    ANSWER: (Message, Purpose.ADMINISTRATION),
    MAIL_DATA: (MailData, Purpose.ADMINISTRATION),
}
"""Every kind of record: what it holds and the one purpose it serves. `pending` waits for a confirmation."""


class Boxer:
    """Makes and opens boxes of one site."""

    def __init__(self, site: uuid.UUID) -> None:
        self._site = site

    def _about(self, purpose: Purpose, person: uuid.UUID, kind: str, record: uuid.UUID) -> bytes:
        return b"".join((self._site.bytes, bytes([purpose.code]), person.bytes, record.bytes, kind.encode()))

    def close(self, key: bytes, person: uuid.UUID, kind: str, record: uuid.UUID, content: Content) -> bytes:
        """Encrypt `content` for the purpose of its kind."""
        content_type, purpose = KINDS[kind]
        if type(content) is not content_type:
            raise TypeError(f"a {kind} record holds {content_type.__name__}")
        cipher = _cipher(key, purpose)
        return _sealed(_VERSION, cipher, self._about(purpose, person, kind, record), content)

    def open(
        self, key: bytes, purpose: Purpose, person: uuid.UUID, kind: str, record: uuid.UUID, box: bytes
    ) -> Content:
        """Decrypt `box` for `purpose`. Raises `RecordDamaged`, which tells nothing of the content."""
        content_type = KINDS[kind][0] if kind in KINDS else None
        cipher = _cipher(key, purpose)
        content: Content = _opened(_VERSION, cipher, self._about(purpose, person, kind, record), content_type, box)
        return content

    def close_retained(
        self, key: bytes, hold: uuid.UUID, duty: RetentionDuty, record: uuid.UUID, content: RetainedContent
    ) -> bytes:
        """Encrypt what a law requires to be kept, under the key of its legal hold."""
        if type(content) is not duty.content:
            raise TypeError(f"{duty.name} holds {duty.content.__name__}")
        cipher = _retained_cipher(key, duty)
        return _sealed(_RETAINED_VERSION, cipher, self._about(duty.purpose, hold, duty.name, record), content)

    def open_retained(
        self, key: bytes, hold: uuid.UUID, duty: RetentionDuty, record: uuid.UUID, box: bytes
    ) -> RetainedContent:
        """Decrypt it. Raises `RecordDamaged`."""
        cipher = _retained_cipher(key, duty)
        about = self._about(duty.purpose, hold, duty.name, record)
        content: RetainedContent = _opened(_RETAINED_VERSION, cipher, about, duty.content, box)
        return content


def _sealed(version: bytes, cipher: AESGCM, about: bytes, content: Content) -> bytes:
    nonce = os.urandom(12)
    return version + nonce + cipher.encrypt(nonce, _encoder.encode(content), about)


def _opened(version: bytes, cipher: AESGCM, about: bytes, content_type: type[Any] | None, box: bytes) -> Any:
    try:
        if box[:1] != version or content_type is None:
            raise ValueError
        plain = cipher.decrypt(box[1:13], box[13:], about)
        return msgspec.msgpack.decode(plain, type=content_type, dec_hook=codec.personal)
    except (InvalidTag, ValueError):  # msgspec's errors are ValueErrors, and may quote what was typed
        raise RecordDamaged("A record does not open for this purpose.") from None


def _cipher(key: bytes, purpose: Purpose) -> AESGCM:
    return AESGCM(hmac.digest(key, b"troth record v1\0" + purpose.value.encode(), "sha256"))


def _retained_cipher(key: bytes, duty: RetentionDuty) -> AESGCM:
    context = f"troth retained record v1\0{duty.name}\0{duty.purpose.value}"
    return AESGCM(hmac.digest(key, context.encode(), "sha256"))


_encoder = msgspec.msgpack.Encoder(enc_hook=codec.plain)

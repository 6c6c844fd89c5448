"""What the worker tells the front, and how: complete generations under `public/`, switched at one stroke.

    public/gen-000000000007/front.msgpack        written and synced before anything points to it
    public/current -> gen-000000000007           replaced by a rename, so a reader sees the old one or the new one

The worker writes, the fronts read; nothing in here is secret. May touch: `public/` and nothing else.
"""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from troth.audience.public.disclosure import StatisticsPage
from troth.core.config.sections import ContactSection, NewsletterSection, TranslationSection
from troth.core.disk import set_mode, sync_folder, write_synced
from troth.core.errors import TrothError
from troth.core.purpose import Category
from troth.core.text.language_tags import usual
from troth.newsletter.published import Archive, OfferedSentence, OfferedTopic
from troth.policy.published import PrivacyPage
from troth.shop.published import Shop

CURRENT = "current"
"""The symbolic link that names the generation in force."""
FILE = "front.msgpack"
KEPT = 3
"""Generations that stay on disk: a front that has just read the link must still find its file."""
_NAME = re.compile(r"gen-\d{12}")


class PublishedError(TrothError):
    """What lies in `public/` is not what a worker of this version writes."""


class NewsletterForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The newsletter form as the operator set it."""

    title: str
    intro: str
    consent: str
    """The sentence beside the button; its SHA-256 travels with each sign-up."""
    language: str = ""
    """Of `consent`, as a tag; empty where the operator did not say."""
    translations: list[OfferedSentence] = []
    """The same sentence in other languages."""
    consents_before: list[bytes] = []
    """SHA-256 of each sentence that stood there earlier, in order: pages with a pasted form may still show it."""
    fields: list[Category]
    required: list[Category]
    return_urls: list[str] = msgspec.field(default_factory=list, name="back")
    """Whole URLs of the vendor's pages to which the form may return."""
    topics: list[OfferedTopic] = []
    """In the order in which they are offered."""

    @classmethod
    def of(
        cls,
        section: NewsletterSection,
        consents_before: Iterable[bytes] = (),
        topics: Iterable[OfferedTopic] = (),
        translations: Iterable[TranslationSection] = (),
    ) -> "NewsletterForm":
        """Return the form that these settings ask for, with these topics and sentences."""
        sentences = [
            OfferedSentence(language=usual(translation.language), consent=translation.consent)
            for translation in translations
        ]
        form = msgspec.convert(section, cls, from_attributes=True)
        return msgspec.structs.replace(
            form,
            language=usual(section.language),
            consents_before=sorted(consents_before),
            topics=list(topics),
            translations=sentences,
        )


class ContactForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contact form as the operator set it."""

    title: str
    intro: str
    fields: list[Category]
    """Besides the message."""
    required: list[Category]
    return_urls: list[str] = msgspec.field(default_factory=list, name="back")
    """Whole URLs of the vendor's pages to which the form may return."""
    keep_days: int
    """How long a conversation is kept after its last message; the form says so."""

    @classmethod
    def of(cls, section: ContactSection) -> "ContactForm":
        """Return the form that these settings ask for."""
        return msgspec.convert(section, cls, from_attributes=True)


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is counted of visits, as the operator set it, and the names that may be written."""

    hosts: list[str]
    """The site's own, without `www.`."""
    timezone: str
    parameters: list[str] = []
    hash_routes: bool = False
    events: list[str] = []
    products: list[str] = []
    spam: list[str] = []
    min_visitors: int = msgspec.field(default=3, name="at_least")
    """Visitors who must bring a name before it is written."""
    names: dict[int, list[str]] = {}
    """By `Dim.code`: names that were written before, and the site's own pages."""
    proof: str = ""
    """By what a hit of a proof's invented visitor is known, so that it is counted beside the figures. Whoever reads it
    here can have their own hits left out, and nothing more."""


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that the front knows about the site."""

    generation: int
    site_id: bytes
    """The site's UUID, 16 bytes."""
    site_name: str
    url: str
    """Where visitors reach the front, prefix and all, without a trailing slash. The only source of absolute URLs."""
    prefix: str
    """The path part of `url`: empty or `/troth`."""
    prefixes_before: list[str] = []
    """What it was earlier: forms that were pasted and links that were mailed then still come there."""
    privacy_url: str
    accent: str
    """`#rrggbb`."""
    epoch: int
    sealing_key: bytes
    """The public sealing key of `epoch`."""
    link_keys: dict[int, bytes]
    """Ed25519 public keys that verify links, by number."""
    form: NewsletterForm
    contact: ContactForm | None = None
    """None: there is no contact form."""
    privacy: PrivacyPage | None = None
    """The policy in force; None while there is none."""
    statistics: StatisticsPage | None = None
    """What everybody may see of the statistics; None: the operator wants no such page."""
    security: str = ""
    """`security.txt` (RFC 9116), whole."""
    audience: Audience | None = None
    """None: nothing is counted."""
    archive: Archive | None = None
    """The newsletter's issues that everybody may read."""
    shop: Shop | None = None
    """What is on sale; None: there is no shop."""
    trusted_proxies: list[str] = []
    """Addresses or networks whose `X-Forwarded-*` is believed."""
    burst: int = msgspec.field(default=10, name="tickets")
    refill_seconds: float = msgspec.field(default=30.0, name="refill")
    keys_days: int = 14
    """How long backups of the people's keys live, which is told to whoever has their record erased."""
    proof_of_work: int = 40_000
    wait_seconds: int = 8

    @property
    def policy_number(self) -> int:
        """The number of the policy's version in force; 0 while there is none."""
        return self.privacy.versions[0].number if self.privacy and self.privacy.versions else 0


def generation_name(generation: int) -> str:
    """Return the folder of a generation (0 or more)."""
    return f"gen-{generation:012d}"


def current(public: Path) -> str | None:
    """Return the name of the generation in force; None before the first. One system call: made to be polled."""
    try:
        name = os.readlink(public / CURRENT)  # noqa: PTH115 - Path.readlink builds a Path each second for nothing
    except OSError:
        return None
    return name if _NAME.fullmatch(name) else None


def load(public: Path) -> Published | None:
    """Load what is in force; None while nothing is published. Raises `PublishedError` if it is not understood."""
    for _ in range(KEPT):  # the generation may be cleared away between reading the link and reading the file
        name = current(public)
        if name is None:
            return None
        try:
            data = (public / name / FILE).read_bytes()
        except FileNotFoundError:
            continue
        return _decode(data)
    raise PublishedError(
        f"{public / CURRENT} names a generation that is not there.", mend="Restart the worker: it publishes anew."
    )


def _decode(data: bytes) -> Published:
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise PublishedError(
            f"What was published cannot be read: {error}", mend="Start worker and front from the same version of Troth."
        ) from None


def write(public: Path, published: Published) -> None:
    """Publish: a complete generation, synced, then the switch; the last `KEPT` generations stay. Safe to repeat after a
    crash. Raises `OSError` where the disk refuses; what was in force stays so."""
    name = generation_name(published.generation)
    fresh, final = public / f".{name}.new", public / name
    _remove(fresh)
    fresh.mkdir()
    set_mode(fresh, 0o755)  # nothing in here is secret, and the fronts are another user
    write_synced(fresh / FILE, _encoder.encode(published), mode=0o644)
    sync_folder(fresh)
    if final.exists():  # a crash came between the rename below and the switch, or the number was used before
        _remove(final)
    fresh.rename(final)
    _switch(public, name)
    _clear(public, name)


def _switch(public: Path, name: str) -> None:
    beside = public / f".{CURRENT}.new"
    beside.unlink(missing_ok=True)
    beside.symlink_to(name)
    beside.replace(public / CURRENT)
    sync_folder(public)


def _clear(public: Path, in_force: str) -> None:
    names = sorted(entry.name for entry in public.iterdir() if _NAME.fullmatch(entry.name) and entry.name != in_force)
    for name in names[: max(0, len(names) - (KEPT - 1))]:
        _remove(public / name)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Published)

"""Text that every recipient gets, which the leak check ignores, even if it is somebody's name.

It composes each email a second time with gaps in place of everything that varies. What is complete in that copy comes
from its type and the settings; anything that needs a varying word is not, and is checked as usual. The copy's values
come from the settings, never from the email: a person's name in the field of the site's name is found. Saved replies
and the policy are ignored in the same way. May touch: `policy.md`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from troth.core.config.sections import Config
from troth.core.personal import MessageText, Personal
from troth.gate.mail_types import ReportFigure, ReportLine
from troth.gate.message import LetterError, Mail

GAP, WIDE_GAP = "zqxjzqxj", "zqxjzqxjé"
"""Nobody's name. A mail whose text goes beyond ASCII is encoded in another way, so there is a copy of each."""
_PLACES = frozenset("confirm unsubscribe preferences privacy me inbox people held".split())
"""What stands in the path of a link to one of our pages; the rest of it varies."""
_FIGURE_WORDS = frozenset(
    "none before as min s to january february march april may june july august september october november december"
    .split()
)  # fmt: skip
_MOST_DIGITS = 6
"""A longer row of digits in a figure could be a telephone number."""


@dataclass(frozen=True, slots=True)
class Public:
    """What the vendor says to everybody. `settings`: by the name of the field of a mail that has it."""

    settings: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    """Where the pages lie to which mails lead: whole web addresses."""
    domain: str = "localhost"
    """The sender's: what a Message-ID ends with."""
    wording: tuple[str, ...] = ()
    """All texts of the settings."""
    policy: Path | None = None

    @classmethod
    def of(cls, config: Config, policy: Path | None = None) -> "Public":
        """Return the texts of these settings. Every text setting counts, including later ones."""
        substitutes = {
            "site_name": config.site.name,
            "form_title": config.newsletter.title,
            "privacy_url": config.site.policy_url,
            "reply_to": config.contact.reply_to or config.mail.sender,
        }
        roots = tuple(url.rstrip("/") for url in (config.site.url, config.office.url))
        return cls(substitutes, roots, config.mail.sender.rpartition("@")[2], tuple(_texts(config)), policy)

    def texts(self) -> list[str]:
        """Return each text, with the present policy."""
        texts = list(self.wording)
        if self.policy is not None:
            with suppress(OSError):
                texts.append(self.policy.read_text("utf-8", "replace"))
        return texts


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def copies(mail: Mail, public: Public) -> tuple[Mail, Mail]:
    """Return `mail` twice, with only the common text and the recipient's own."""
    return _copy(mail, public, GAP), _copy(mail, public, WIDE_GAP)


def varying(mail: Mail, public: Public) -> str:
    """Return what of `mail` is not in its copies, where somebody's details could be."""
    copy = _copy(mail, public, GAP)
    names = [field.name for field in fields(mail) if field.name not in mail.WORDED]
    pairs = ((getattr(mail, name), getattr(copy, name)) for name in names)
    return "\n".join(text for value, bare in pairs if value != bare for text in _said(value))


def _copy(mail: Mail, public: Public, gap: str) -> Mail:
    changed = {
        field.name: _Bare(public, gap, figures=field.name in mail.FIGURES).value(field.name, getattr(mail, field.name))
        for field in fields(mail)
        if field.name not in mail.OWN
    }
    return replace(mail, **changed)


@dataclass(frozen=True, slots=True)
class _Bare:
    """Makes of the value of a field what everybody would have there."""

    public: Public
    gap: str
    figures: bool
    """The field has nothing but figures and names of things."""

    def value(self, name: str, value: Any) -> Any:
        """Return a field's value with gaps. Raises `LetterError` for an unknown type of value."""
        if isinstance(value, str):
            return self._text(name, value)
        if isinstance(value, bool | datetime):
            return value
        if isinstance(value, int):
            return value if abs(value) < 10**_MOST_DIGITS else 0
        if isinstance(value, MessageText):
            return MessageText(self.gap)
        if isinstance(value, ReportLine):
            return ReportLine(*(self._text(name, text) for text in (value.what, value.now, value.beside)))
        if isinstance(value, Sequence):
            return tuple(self.value(name, item) for item in value)
        raise LetterError(
            f"Nobody has said what varies in a mail's field of this kind: {name}.",
            mend="Say it in `_Bare.value` of src/troth/gate/common_words.py.",
        )

    def _text(self, name: str, text: str) -> str:
        if name in self.public.settings:
            return self.public.settings[name]
        if name in ("message_id", "about"):
            return f"<{GAP}@{self.public.domain}>"
        if name.endswith("_url"):
            return self._url(text)
        return text if not text or (self.figures and _is_ours(text)) else self.gap

    def _url(self, url: str) -> str:
        for root in self.public.roots:
            if url == root or url.startswith(f"{root}/"):
                segments = url[len(root) :].split("/")
                return root + "/".join(segment if segment in _PLACES or not segment else GAP for segment in segments)
        return f"https://{GAP}.invalid/"


def _is_ours(text: str) -> bool:
    """Whether it is a figure or its label: neither can be a name or somebody's number."""
    if text in ReportFigure:
        return True
    words = re.findall(r"\w+", text.lower())
    return all(word in _FIGURE_WORDS or (word.isdigit() and len(word) <= _MOST_DIGITS) for word in words)


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Personal):
        yield value.reveal()
    elif isinstance(value, ReportLine):
        yield from (value.what, value.now, value.beside)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _said(item)

"""What a form is: where it stands, what it asks for, the entry it becomes, its words. A room's form is one of these.

The files beside this one make them from what was published; `front/views/form_submission.py` shows and takes any of
them. Touches nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from troth.core.entry import Entry
from troth.core.purpose import Category
from troth.core.signed_links import MAX_TOPICS
from troth.front.http.form_parsing import BODY_LIMIT
from troth.newsletter.entry import wording_digest
from troth.newsletter.published import OfferedSentence, OfferedTopic, topic_field

HONEYPOT = "leave_empty"
"""A field that no person sees and no browser sends; robots fill it in. No password manager has a use for the name."""
TRAPS = (HONEYPOT, "website")
"""With what it is called in forms that were pasted earlier. Password managers fill that in, unseen."""
TOPIC_FIELDS = tuple(topic_field(number) for number in range(MAX_TOPICS))
"""The boxes of all topics that there can be, by number: a page may still have one of a topic that is gone."""


def wording_of(sentence: OfferedSentence) -> str:
    """Return the hash of a translation, as a form carries it."""
    return wording_digest(sentence.consent).hex()


def ticked(typed: Mapping[str, str]) -> int:
    """Return the bitmap of the topics whose boxes were ticked."""
    return sum(1 << number for number, name in enumerate(TOPIC_FIELDS) if typed.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form as the operator set it."""

    name: str
    """`newsletter`: names its fields in pages, and marks the `back` page's address: `?newsletter=thanks`."""
    path: str
    """Under the front's address, without a slash before it."""
    title: str
    intro: str
    fields: tuple[Category, ...]
    required: frozenset[Category]
    """Besides the e-mail address, which every form asks for."""
    settable: frozenset[Category] = frozenset()
    """What the operator may set it to ask for: a pasted form may still have a field that is asked for no longer."""
    entry: Callable[[Mapping[str, Any]], Entry]
    """Makes the entry of the checked values: by category, None for what was left empty; and the hash of the sentence
    that one agreed to, where there is one."""
    why_address: str
    """What the address is for, as one is told who left it out."""
    button: str
    note: str
    """The sentence beside the button."""
    wording: str = ""
    """Hash of a sentence to which one agrees by sending; the form must carry it. Empty: there is none."""
    wordings_before: frozenset[str] = frozenset()
    """Hashes of the sentences that stood there earlier. Pages with a pasted form still show them, and what is kept is
    what the visitor saw."""
    language: str = ""
    """Of `note`, as a tag; empty where it is not known."""
    translations: tuple[OfferedSentence, ...] = ()
    """`note` in other languages: a form may be on a page in one of them."""
    thanks: str
    """Which thanks page."""
    back: tuple[str, ...] = ()
    """Whole URLs of the vendor's pages to which the form may return."""
    back_setting: str = ""
    """Where in `troth.toml` they are listed."""
    topics: tuple[OfferedTopic, ...] | None = None
    """Topics to choose from; None where the form never has any."""
    limit: int = BODY_LIMIT
    """Bytes at most."""

    @property
    def allowed(self) -> frozenset[str]:
        """The names of all fields that may come."""
        boxes = () if self.topics is None else TOPIC_FIELDS
        return frozenset({*self.fields, *self.settable, *boxes, "back", "wording", "altcha", "ticket", *TRAPS})

    def in_language(self, language: str) -> "Form | None":
        """Return this form with the sentence in another language; None if there is none in it."""
        if language == self.language:
            return self
        for sentence in self.translations:
            if sentence.language == language:
                return replace(self, note=sentence.consent, wording=wording_of(sentence), language=language)
        return None

    def as_filled(self, typed: Mapping[str, str]) -> "Form":
        """Return this form with the sentence that stood beside the button, if that is a translation: whoever gets it
        back reads their own language."""
        wording = typed.get("wording", "")
        agreed = [sentence.language for sentence in self.translations if wording_of(sentence) == wording]
        return self.in_language(agreed[0]) or self if agreed else self

    def thanked_at(self, back: str) -> str:
        """Return this page of the vendor's, marked so that our script says thanks there."""
        address, mark, fragment = back.partition("#")
        return f"{address}{'&' if '?' in address else '?'}{self.name}=thanks{mark}{fragment}"

    def no_longer_asked(self, typed: Mapping[str, str]) -> list[Category]:
        """Return what was filled in that this form does not ask for any more."""
        return [category for category in Category if category not in self.fields and typed.get(category)]

    def offers_all(self, typed: Mapping[str, str]) -> bool:
        """Whether every topic that was ticked can still be chosen."""
        return ticked(typed) & ~sum(1 << topic.number for topic in self.topics or ()) == 0

    def is_trapped(self, typed: Mapping[str, str]) -> bool:
        """Whether the field that no person sees was filled in: by a robot, or by a program that meant to help."""
        return any(typed.get(name) for name in TRAPS)

    def agreed(self, typed: Mapping[str, str]) -> bytes | None:
        """Hash of the sentence beside the button that was pressed; None for one that never stood there."""
        digest = typed.get("wording", "")
        return bytes.fromhex(digest) if digest == self.wording or digest in self.wordings_before else None

    def needs(self, category: Category) -> bool:
        """Whether it must be filled in."""
        return category is Category.EMAIL or category in self.required

"""Reads the forms on a page, as a browser would, and what else a page could take a card number with. Used by proofs.
Touches nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_FIELDS = {"input", "textarea", "select", "button"}
_FRAMES = {"iframe", "frame", "object", "embed", "portal", "applet", "fencedframe"}
_SCRIPT_URL = re.compile(r"^[\s\x00-\x20]*(javascript|data|vbscript):", re.IGNORECASE)
_ADDRESSES = ("href", "src", "action", "formaction", "data", "ping", "poster", "srcset")


@dataclass(frozen=True, slots=True)
class PageField:
    """One field that a browser would send."""

    name: str
    value: str


@dataclass(slots=True)
class PageParts:
    """What a page has that could take in, or pass on, what somebody types."""

    forms: list[str] = field(default_factory=list)
    """Where each form, or button of one, sends to; empty for the page's own address."""
    words: list[str] = field(default_factory=list)
    """Of each field: name, id, autocomplete, what it is called and shows."""
    labels: list[tuple[str, str]] = field(default_factory=list)
    """Each label with the id of the field that it is for."""
    boxes: set[str] = field(default_factory=set)
    """Ids of what is ticked, and not typed into: its label may be about anything."""
    fields: int = 0
    """Fields and whatever else can be typed into."""
    scripts: int = 0
    """Scripts, attributes that run one, and addresses that are one."""
    frames: int = 0
    links: list[str] = field(default_factory=list)
    """Where its links lead, and where it leads by itself."""

    def asked_for(self) -> Iterator[str]:
        """Yield what the fields to type into are called, and their labels."""
        yield from self.words
        yield from (text for of, text in self.labels if of not in self.boxes)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[PageField] = []
        self.unnamed = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name")
        if tag in _FIELDS and name:
            self.fields.append(PageField(name, attributes.get("value") or ""))
        elif tag in {"textarea", "select"} or (tag == "input" and attributes.get("type") not in {"submit", "checkbox"}):
            self.unnamed += 1  # a script could still read it


def fields(text: str) -> list[PageField]:
    """Return every field of every form on a page; a field without a name has an empty one."""
    reader = _FormReader()
    reader.feed(text)
    return reader.fields + [PageField("", "")] * reader.unnamed


class _PartsReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts = PageParts()
        self._in_label = 0
        self._label_of = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes, parts = {name: value or "" for name, value in attrs}, self.parts
        if tag == "form":
            parts.forms.append(attributes.get("action", ""))
        if "formaction" in attributes:
            parts.forms.append(attributes["formaction"])
        if tag in _FIELDS or attributes.get("contenteditable", "false").lower() != "false":
            is_box = attributes.get("type") in {"checkbox", "radio"}
            parts.fields += attributes.get("type") not in {"submit", "hidden"}
            parts.words += [value for name, value in attributes.items() if name in _NAMING and not is_box]
            parts.boxes |= {attributes["id"]} if is_box and "id" in attributes else set()
        if tag in {"label", "legend"}:
            self._in_label += 1
            self._label_of = attributes.get("for", "")
        parts.frames += tag in _FRAMES
        refreshes = "refresh" in attributes.get("http-equiv", "").lower()
        scripted = [name for name in attributes if name.startswith("on")]
        scripted += [name for name in _ADDRESSES if _SCRIPT_URL.match(attributes.get(name, ""))]
        preloads = (tag == "link" and attributes.get("as") == "script") or "modulepreload" in attributes.get("rel", "")
        parts.scripts += (tag == "script") + len(scripted) + preloads
        parts.links += [
            attributes[name] for name in ("href", "ping") if tag in {"a", "area", "base"} and name in attributes
        ]
        parts.links += [attributes.get("content", "").partition("=")[2].strip("'\" ")] if refreshes else []

    def handle_endtag(self, tag: str) -> None:
        self._in_label -= tag in {"label", "legend"} and self._in_label > 0

    def handle_data(self, data: str) -> None:
        if self._in_label and data.strip():
            self.parts.labels.append((self._label_of, " ".join(data.split())))


_NAMING = frozenset({"name", "id", "autocomplete", "placeholder", "aria-label", "title", "list", "data-name", "value"})


def parts(text: str) -> PageParts:
    """Return what a page has of forms, fields, scripts, frames and links."""
    reader = _PartsReader()
    reader.feed(text)
    reader.close()
    return reader.parts


def targets(text: str) -> list[str]:
    """Return where each form on a page sends to."""
    return parts(text).forms

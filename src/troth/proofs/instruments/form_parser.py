"""Reads the forms on a page, as a browser would. Used by proofs. Touches nothing."""

from dataclasses import dataclass
from html.parser import HTMLParser

_FIELDS = {"input", "textarea", "select", "button"}


@dataclass(frozen=True, slots=True)
class PageField:
    """One field that a browser would send."""

    name: str
    value: str


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

"""XML as feeds are written in it, read into a tree. Nothing is loaded, and no entity is expanded: a document that
declares one is refused, so that a few bytes never become gigabytes (CWE-776). Touches nothing but the text it is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from xml.parsers import expat

from troth.core.errors import TrothError

_DEEPEST = 100
_MOST_ELEMENTS = 200_000
_NAMESPACE_END = "\n"
"""Between a namespace and a name: no namespace can contain it."""
_XHTML = "http://www.w3.org/1999/xhtml"
_VOID = frozenset({"area", "br", "col", "hr", "img", "wbr"})


class FeedError(TrothError):
    """A feed that cannot be read; `mend` says what would be taken."""


@dataclass(slots=True)
class Element:
    """An element with what it contains, in order."""

    namespace: str
    name: str
    attributes: dict[str, str]
    content: "list[str | Element]" = field(default_factory=list)

    @property
    def children(self) -> "Iterator[Element]":
        """Return the elements in it."""
        return (part for part in self.content if isinstance(part, Element))

    def text(self) -> str:
        """Return all text in it, without surrounding whitespace."""
        return "".join(part if isinstance(part, str) else part.text() for part in self.content).strip()

    def markup(self) -> str:
        """Return what is in it as HTML: for XHTML that a feed contains as elements."""
        return "".join(escape(part, quote=False) if isinstance(part, str) else part.outer() for part in self.content)

    def outer(self) -> str:
        """Return the element itself as HTML; of another vocabulary than XHTML, only its content."""
        if self.namespace not in {"", _XHTML}:
            return self.markup()
        attributes = "".join(
            f' {name}="{escape(value)}"' for name, value in self.attributes.items() if "\n" not in name
        )
        start = f"<{self.name}{attributes}>"
        return start if self.name in _VOID else f"{start}{self.markup()}</{self.name}>"


def read(document: str | bytes) -> Element:
    """Return the root of a document. Raises `FeedError`, which names the line. Text is taken as it is, whatever
    encoding it declares: that was the file's that it was copied from."""
    builder = _Builder()
    parser = expat.ParserCreate("utf-8" if isinstance(document, str) else None, _NAMESPACE_END)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = builder.entity
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise FeedError(
            f"The feed is no well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}.",
            mend="Save the feed again from its address, whole and in UTF-8. A feed validator names mistakes.",
        ) from None
    except (LookupError, ValueError):  # an encoding that Python does not know, or one of several bytes for a letter
        raise FeedError("The feed is in an encoding that is not supported.", mend="Save it in UTF-8.") from None
    return builder.root()


class _Builder:
    """Makes the tree as the parser reports its parts."""

    def __init__(self) -> None:
        self._open: list[Element] = [Element("", "", {})]
        self._elements = 0

    def root(self) -> Element:
        return next(self._open[0].children)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS or len(self._open) > _DEEPEST:
            raise FeedError(
                "The feed has too many elements, or they are nested too deeply.", mend="Use a shorter feed."
            )
        namespace, _, local = name.rpartition(_NAMESPACE_END)
        element = Element(namespace, local, attributes)
        self._open[-1].content.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].content.append(text)

    def entity(self, *_declared: object) -> None:
        raise FeedError(
            "The feed declares entities of its own, which Troth does not expand.",
            mend="Remove the <!ENTITY> declarations, or use another format of the same feed.",
        )

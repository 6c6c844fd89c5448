"""Merge fields: `{{ name | there }}` stands for a recipient's name, or for "there" if they gave none.

A draft is compiled once, into a `Pattern` of literals and fields; for each recipient the pattern is only filled. What
is filled in is never read again: a name that contains a merge field, Markdown or HTML is shown as it is.

Before Markdown is parsed, each field is replaced by a mark of two private-use characters and a number, since a `|`
would part the cells of a table. In code, the mark becomes the source again. Touches nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from html import escape

from troth.gate.message import one_line
from troth.newsletter.campaigns.draft_error import DraftError, Part

PERSONAL = ("name", "first_name", "company")
"""Fields that hold a recipient's own details. Each needs a fallback."""
OPERATOR_FIELDS = (*PERSONAL, "site_name")
"""All fields that a draft may use."""
_DATA_FIELD = re.compile(r"data\.([a-z][a-z0-9_]{0,39})")
"""A field of a transactional template, whose value the program that sends it passes."""
LINK_FIELDS = ("unsubscribe_url", "preferences_url", "view_url", "twice")
"""Fields of the footer, which no draft can use; `twice` is the note of an email that may arrive twice."""
MOST_FIELDS = 100
_LONGEST_FIELD = 300

_BEGIN, _END, _BEGIN_OPTIONAL, _END_OPTIONAL = "\ue000", "\ue001", "\ue002", "\ue003"
_OUR_MARKS = re.compile("[\ue000-\ue003]")
_OPENING = re.compile(r"\{\{(?:([^\n]{0," + str(_LONGEST_FIELD) + r"}?)\}\})?")
MARK = re.compile(_BEGIN + r"(\d+)" + _END)
"""A field's mark in a text."""
_SLOT = re.compile(
    f"{_BEGIN_OPTIONAL}([^\ue000-\ue003]*){_BEGIN}(\\d+){_END}([^\ue000-\ue003]*){_END_OPTIONAL}|{_BEGIN}(\\d+){_END}"
)
_NOT_A_FALLBACK = re.compile(r"""default\s*[:(]|(["'“‘]).*["'”’]$""", re.IGNORECASE)
_HOW = "Write it like this: {{ name | there }}. The fields are " + ", ".join(OPERATOR_FIELDS) + "."


class MergeError(DraftError):
    """A merge field that cannot be filled."""


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a pattern."""

    name: str
    fallback: str = ""
    """What stands there if the recipient gave nothing. Empty for a link, which every recipient has."""
    optional: bool = False
    """If there is no value, the place stays empty, and so do `before` and `after`."""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with fields, ready to be filled for each recipient."""

    parts: tuple[str | Field, ...]
    html: bool = False
    """Whether values are escaped for HTML. Such a text is ASCII, letters beyond it written as references: to do that
    for each recipient would take longer than all else."""
    _slots: tuple[tuple[Field, tuple[int, ...]], ...] = attribute(init=False, repr=False, compare=False)
    """Each field with all its places: it is filled once for a recipient, however often it stands in the text."""

    def __post_init__(self) -> None:
        slots: dict[Field, list[int]] = {}
        for at, part in enumerate(self.parts):
            if isinstance(part, Field):
                slots.setdefault(part, []).append(at)
        object.__setattr__(self, "_slots", tuple((field, tuple(places)) for field, places in slots.items()))

    @property
    def fields(self) -> frozenset[str]:
        """Return the names of the fields: what must be known of a recipient."""
        return frozenset(field.name for field, _ in self._slots)

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text for one recipient. A name or company that is missing or blank gives way to its fallback.

        `first_name` is taken from `values`, or else from the first word of `name`. Raises `MergeError` if a link is
        missing.
        """
        filled: list[str | Field] = list(self.parts)
        for field, places in self._slots:
            value = self._filled(field, values)
            for at in places:
                filled[at] = value
        return "".join(filled)  # type: ignore[arg-type]  # every field was replaced

    def fallbacks(self) -> str:
        """Return the text as the draft has it, with the fallback at each field and nothing at each link."""
        return "".join(part if isinstance(part, str) else self._shown(part.fallback) for part in self.parts)

    def _filled(self, field: Field, values: Mapping[str, str]) -> str:
        value = _flat(values.get(field.name, ""))
        if not value and field.name == "first_name":
            value = first_name(values.get("name", ""))
        value = self._shown(value or field.fallback)
        if field.optional:
            return f"{field.before}{value}{field.after}" if value else ""
        if not value:
            raise MergeError(f"there is no {field.name} for this recipient.", mend="Pass one to `fill`.")
        return value

    def _shown(self, value: str) -> str:
        return _in_html(value) if self.html else value


def data_fields(fields: Iterable[Field]) -> dict[str, bool]:
    """Return the data fields among these, each by the name that a program passes, and whether it must pass it: a field
    is optional if it has a fallback wherever it stands."""
    required: dict[str, bool] = {}
    for field in fields:
        if match := _DATA_FIELD.fullmatch(field.name):
            required[match[1]] = required.get(match[1], False) or not field.fallback
    return dict(sorted(required.items()))


def first_name(name: str) -> str:
    """Return the first word of a name; nothing if it is a title, an initial or a surname (`Dr.`, `A.`, `Lovelace,`)."""
    first, _, _ = _flat(name).partition(" ")
    return "" if first.endswith((".", ",")) else first


def _flat(value: str) -> str:
    """Return `value` on one line, without control characters and those that turn the direction of what follows."""
    return " ".join(value.split()) if value.isprintable() else one_line(value)


class Marks:
    """The fields of one draft, and the texts in which marks stand for them. `data`: it may have data fields."""

    def __init__(self, site_name: str, *, data: bool = False) -> None:
        self._site_name, self._data = unmarked(_flat(site_name)), data
        self._fields: list[Field | MergeError] = []
        self._sources: list[str] = []

    def mark(self, source: str, part: Part = "text") -> str:
        """Return `source` with a mark for each field. One that is wrong is an error when it is reached by `check`, so
        that code may show anything in double braces."""
        source, pieces, end = unmarked(source), [], 0
        for match in _OPENING.finditer(source):
            before = source[end : match.start()]
            if (len(before) - len(before.rstrip("\\"))) % 2:
                continue  # Markdown's escape: \{{ is shown as {{
            if len(self._fields) == MOST_FIELDS:
                raise MergeError(
                    f"There are more than {MOST_FIELDS} merge fields.", mend="Use fewer of them.", part=part
                )
            pieces += [before, self._add(self._read(match, part), match[0])]
            end = match.end()
        return "".join([*pieces, source[end:]])

    def line(self, source: str, part: Part) -> str:
        """Return a subject or preheader with its fields marked and checked. It is no Markdown."""
        marked = self.mark(one_line(source), part)
        self.check(marked)
        return marked.replace("\\{{", "{{")

    def link(self, name: str) -> str:
        """Return a mark for a link of the footer."""
        return self._add(Field(name), "")

    def optional(self, name: str) -> tuple[str, str, str]:
        """Return a mark for what may be missing, such as a link, and what begins and ends the text that goes with it.
        In that text there is no other field."""
        return _BEGIN_OPTIONAL, self._add(Field(name, optional=True), ""), _END_OPTIONAL

    def check(self, marked: str) -> None:
        """Raise the `MergeError` of the first field in a text that is wrong."""
        for field in self._in(marked):
            if isinstance(field, MergeError):
                raise field

    def source(self, marked: str) -> str:
        """Return what was typed: for code, in which nothing is a field."""
        return MARK.sub(lambda match: self._sources[int(match[1])], marked)

    def fallbacks(self, marked: str) -> str:
        """Return a text with the fallback at each field, for hints and lists of links."""
        return self.pattern(marked, html=False).fallbacks()

    def pattern(self, marked: str, *, html: bool) -> Pattern:
        """Compile a text with marks. Raises the `MergeError` of a field that is wrong."""
        self.check(marked)
        literal, shown_as = (_ascii, _in_html) if html else (str, str)
        parts: list[str | Field] = []
        end = 0
        for match in _SLOT.finditer(marked):
            before, optional, after, plain = match.groups(default="")
            field = self._fields[int(plain or optional)]
            parts.append(literal(marked[end : match.start()]))
            if isinstance(field, Field) and field.name != "site_name":
                parts.append(replace(field, before=literal(before), after=literal(after)))
            else:
                parts.append(shown_as(self._site_name))
            end = match.end()
        parts.append(literal(marked[end:]))
        return Pattern(tuple(_joined(parts)), html)

    def _in(self, marked: str) -> Iterator[Field | MergeError]:
        return (self._fields[int(match[1])] for match in MARK.finditer(marked))

    def _add(self, field: Field | MergeError, source: str) -> str:
        self._fields.append(field)
        self._sources.append(source)
        return f"{_BEGIN}{len(self._fields) - 1}{_END}"

    def _read(self, match: re.Match[str], part: Part) -> Field | MergeError:
        line = match.string.count("\n", 0, match.start()) + 1

        def wrong(message: str, mend: str = _HOW) -> MergeError:
            return MergeError(message, mend=mend, part=part, line=line)

        if match[1] is None:
            return wrong(
                "{{ begins a merge field that does not end.",
                r"Close it with }} on the same line. To show two braces, write \{{ or put them in backticks.",
            )
        name, _, fallback = (text.strip() for text in match[1].partition("|"))
        if name not in OPERATOR_FIELDS and not (self._data and _DATA_FIELD.fullmatch(name)):
            typed = one_line(name)[:40]
            return wrong(f"there is no merge field called “{typed}”." if typed else "a merge field has no name.")
        if _NOT_A_FALLBACK.match(fallback):
            return wrong(
                f"the fallback of {name} has more around it than its words.",
                f"Write the words alone, without quotes: {{{{ {name} | there }}}}.",
            )
        if name in PERSONAL and not fallback:
            return wrong(
                f"{name} has no fallback for recipients who gave none.",
                f"Add the words that stand in its place: {{{{ {name} | there }}}}.",
            )
        return Field(name, one_line(fallback))


def unmarked(text: str) -> str:
    """Return `text` without the characters that marks are made of."""
    return _OUR_MARKS.sub("\ufffd", text)


def _in_html(value: str) -> str:
    return _ascii(escape(value))


def _ascii(html: str) -> str:
    return html if html.isascii() else html.encode("ascii", "xmlcharrefreplace").decode()


def _joined(parts: list[str | Field]) -> Iterator[str | Field]:
    """Yield the parts with neighbouring literals as one, and without empty ones."""
    literal = ""
    for part in parts:
        if isinstance(part, str):
            literal += part
            continue
        if literal:
            yield literal
        literal = ""
        yield part
    if literal:
        yield literal

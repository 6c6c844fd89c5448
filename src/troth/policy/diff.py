"""What changed between two versions of the policy, line by line: the text, and the tables that it was shown with.

Touches nothing.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_BOUND = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\]){0,4000})\]\{promise=[^}\s]{0,80}\}")
_CONTEXT = 1
_MOST_LINES = 3000
_NAMES = {
    "what_is_collected": "What is collected",
    "what_is_counted": "What is counted of visits",
    "who_receives_it": "Who receives it",
    "how_long": "How long",
    "how_long_else": "How long, of what carries no details",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference. `sign`: `+` came, `-` went, blank stayed, `…` something is left out here."""

    sign: str
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.text}".rstrip()


def whole(text: str, tables: Mapping[str, Sequence[Sequence[str]]], *, bare: bool = False) -> list[str]:
    """A version's lines: its text, then its tables, a row to a line. `bare`: without the marks of promises."""
    if bare:
        text = _BOUND.sub(r"\1", text)
    lines = [line.rstrip() for line in text.strip().split("\n")]
    for place, rows in tables.items():
        lines += ["", f"[{_NAMES.get(place, place)}]", *(" | ".join(row) for row in rows[1:])]
    return lines


def between(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """What went and what came, with a line around each. Of very long ones, all of the one and all of the other."""
    if len(old) + len(new) > _MOST_LINES:
        return [*(Line("-", line) for line in old), *(Line("+", line) for line in new)]
    found: list[Line] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        if found:
            found.append(Line("…", ""))
        for kind, a, b, c, d in group:
            if kind == "equal":
                found += [Line(" ", line) for line in old[a:b]]
            else:
                found += [Line("-", line) for line in old[a:b]]
                found += [Line("+", line) for line in new[c:d]]
    return found


_WORDS = {"-": ("del", "Went: "), "+": ("ins", "Came: ")}


def as_html(lines: Sequence[Line]) -> str:
    """The same for a page. Colour never says it alone: the sign stands before each line."""
    rows = []
    for line in lines:
        if line.sign in _WORDS:
            tag, heard = _WORDS[line.sign]
            text = escape(line.text) or "&nbsp;"
            sign = "−" if line.sign == "-" else line.sign
            rows.append(
                f'<li class="{tag}"><span aria-hidden="true">{sign}</span>'
                f'<{tag}><span class="heard">{heard}</span>{text}</{tag}></li>'
            )
        elif line.sign == "…":
            rows.append('<li class="gap">…</li>')
        elif line.text:
            rows.append(f"<li>{escape(line.text)}</li>")
    return f'<ul class="difference">{"".join(rows)}</ul>'

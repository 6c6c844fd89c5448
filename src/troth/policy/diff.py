"""Line-by-line difference of two versions of the policy: their texts and tables."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_BOUND = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\]){0,4000})\]\{promise=[^}\s]{0,80}\}")
_CONTEXT = 1
_MOST_LINES = 3000
_NAMES = {
    "what_is_collected": "What we collect",
    "what_is_counted": "What we count",
    "who_receives_it": "Who receives it",
    "how_long": "How long we keep it",
    "how_long_else": "How long we keep records without your details",
}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference. `sign`: `+` added, `-` removed, blank unchanged, `…` omitted lines."""

    sign: str
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.text}".rstrip()


def whole(text: str, tables: Mapping[str, Sequence[Sequence[str]]], *, bare: bool = False) -> list[str]:
    """Return a version's lines: its text, then its tables by row. `bare`: without promise marks."""
    if bare:
        text = _BOUND.sub(r"\1", text)
    lines = [line.rstrip() for line in text.strip().split("\n")]
    for place, rows in tables.items():
        lines += ["", f"[{_NAMES.get(place, place)}]", *(" | ".join(row) for row in rows[1:])]
    return lines


def between(old: Sequence[str], new: Sequence[str]) -> list[DiffLine]:
    """Return removed and added lines with one line of context. Of very long texts, all lines of both."""
    if len(old) + len(new) > _MOST_LINES:
        return [*(DiffLine("-", line) for line in old), *(DiffLine("+", line) for line in new)]
    lines: list[DiffLine] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        if lines:
            lines.append(DiffLine("…", ""))
        for kind, a, b, c, d in group:
            if kind == "equal":
                lines += [DiffLine(" ", line) for line in old[a:b]]
            else:
                lines += [DiffLine("-", line) for line in old[a:b]]
                lines += [DiffLine("+", line) for line in new[c:d]]
    return lines


_WORDS = {"-": ("del", "Removed: "), "+": ("ins", "Added: ")}


def as_html(lines: Sequence[DiffLine]) -> str:
    """Return the lines as HTML, each with its sign, so that colour is not the only difference."""
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

"""Print stored text on a terminal so that it steers nothing: an escape sequence in a name could move the cursor or type
an answer (ECMA-48, section 5.4), and root prints what a captured process may have written. Files and pipes get it
unchanged. Touches `sys.stdout` and `sys.stderr`."""

import sys
import unicodedata
from typing import Any, TextIO

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text behind it (UAX 9)."""
_STEERS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def steers(char: str) -> bool:
    """Whether a terminal obeys it, or it is no letter of the line that it stands in."""
    return unicodedata.category(char) in _STEERS or char in _TURNS


def shown(text: str, keep: str = "\n\t") -> str:
    """Return `text` with what steers written out as Python writes it, but for `keep`."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if steers(char) and char not in keep else char for char in text
    )


class TerminalStream:
    """A stream that leads to a terminal, to write to."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(shown(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def guard() -> None:
    """Escape, from now on, what this process prints on a terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, TerminalStream) and stream.isatty():
            setattr(sys, name, TerminalStream(stream))

"""Find the line of a TOML text on which each table and each key stands, so that an error can name it: the standard
library's parser does not say. Expects a text that this parser has accepted. Standard library only."""

import re

type Path = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


def lines(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each table and key: `("front", "listen")`. Of one named twice, the first; of
    a list of tables, each by its number: `("relay 0", "name")`."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._place = text, 0
        self._found: dict[Path, int] = {}
        self._counted, self._line = 0, 1

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        counts: dict[Path, int] = {}
        while self._skip():
            if self._text[self._place] == "[":
                begin, is_list = self._place, self._text.startswith("[[", self._place)
                while self._at("["):
                    self._place += 1
                table = self._key(())
                if is_list and table:
                    number = counts[table] = counts.get(table, -1) + 1
                    table = (*table[:-1], f"{table[-1]} {number}")
                    self._note(table, begin)
                self._to_line_end()
            else:
                self._pair(table)
        return self._found

    def _skip(self) -> bool:
        """Go past blanks, line ends and comments; False at the text's end."""
        match = _SKIP.match(self._text, self._place)
        self._place = match.end() if match else self._place
        return self._place < len(self._text)

    def _at(self, sign: str) -> bool:
        return self._text.startswith(sign, self._place)

    def _note(self, path: Path, place: int) -> None:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        self._found.setdefault(path, self._line)

    def _key(self, base: Path) -> Path:
        """Read a dotted key and note each of its parts."""
        path = base
        while self._skip():
            begin = self._place
            part = self._part()
            if part is None:
                break
            path = (*path, part)
            self._note(path, begin)
            self._skip()
            if not self._at("."):
                break
            self._place += 1
        return path

    def _part(self) -> str | None:
        if match := _STRING.match(self._text, self._place):
            self._place = match.end()
            inner = match[0][1:-1]
            return _ESCAPED.sub(_unescaped, inner) if match[0][0] == '"' else inner
        if match := _BARE.match(self._text, self._place):
            self._place = match.end()
            return match[0]
        return None

    def _pair(self, base: Path) -> None:
        begin = self._place
        path = self._key(base)
        if self._skip() and self._at("="):
            self._place += 1
            self._skip()
            self._value(path)
        self._place = max(self._place, begin + 1)  # whatever it was, go on

    def _value(self, path: Path) -> None:
        """Go past a value, noting the keys of inline tables."""
        if match := _STRING.match(self._text, self._place):
            self._place = match.end()
        elif self._at("{"):
            self._enclosed("}", path, pairs=True)
        elif self._at("["):
            self._enclosed("]", path, pairs=False)
        else:
            match = re.compile(r"[^,\]}\n#]*").match(self._text, self._place)
            self._place = match.end() if match else self._place

    def _enclosed(self, closing: str, path: Path, *, pairs: bool) -> None:
        self._place += 1
        while self._skip():
            if self._at(closing):
                self._place += 1
                return
            if self._at(","):
                self._place += 1
                continue
            begin = self._place
            if pairs:
                self._pair(path)
            else:
                self._value(path)
            self._place = max(self._place, begin + 1)

    def _to_line_end(self) -> None:
        end = self._text.find("\n", self._place)
        self._place = len(self._text) if end < 0 else end


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "uU" and len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(code, code)

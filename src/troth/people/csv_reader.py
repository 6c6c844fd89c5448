"""CSV reading: detects encoding and delimiter, yields records with their first line (RFC 4180).

UTF-8 with or without BOM, UTF-16, Windows-1252. Reports a record with an error and continues; limits line length, so
that no file fills the memory. Only reads the file.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from troth.people.csv_sources import CsvSource, FileRefused, as_source

LONGEST_LINE = 1 << 20
LONGEST_FIELD = 1 << 17
_LOOK = 1 << 20
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with BOM",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "cp1252": "Windows-1252",
}
_WHOLE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HOLES = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is written."""

    encoding: str
    delimiter: str

    @property
    def words(self) -> str:
        """For people."""
        names = {sign: name for name, sign in _DELIMITERS.items()}
        return f"{ENCODINGS.get(self.encoding, self.encoding)}, {names.get(self.delimiter, 'other')}-separated"


@dataclass(frozen=True, slots=True, repr=False)
class CsvRecord:
    """One record. `wrong`: why it cannot be read; then it has no cells."""

    line: int
    """Where it begins, from 1."""
    cells: list[str]
    wrong: str = ""


def find_shape(file: Path | CsvSource, encoding: str = "", delimiter: str = "") -> Shape:
    """Detect how the file is written. Raises `FileRefused` if it is not text, empty, or not in `encoding`."""
    with as_source(file).open() as opened:
        codec = _encoding(encoding) if encoding else _find_encoding(opened)
        opened.seek(0)
        with io.TextIOWrapper(opened, codec, _errors(codec), newline="") as text:
            head = _first_line(text)
    if not head.strip():
        raise FileRefused("The file is empty.", mend="Its first line must name the columns.")
    return Shape(codec, _delimiter(delimiter) if delimiter else _find_delimiter(head))


def _encoding(typed: str) -> str:
    try:
        codec = codecs.lookup(typed).name
    except LookupError:
        codec = ""
    aliases = {"windows-1252": "cp1252", "utf_16": "utf-16"}
    codec = aliases.get(codec, codec)
    if codec not in ENCODINGS and not codec.startswith(("iso8859", "cp125")):
        raise FileRefused("Unknown encoding.", mend=f"One of: {', '.join(ENCODINGS)}, iso8859-15, cp1250.")
    return codec


def _delimiter(typed: str) -> str:
    sign = _DELIMITERS.get(typed, typed)
    if sign not in _DELIMITERS.values():
        raise FileRefused("Unknown delimiter.", mend=f"One of: {', '.join(_DELIMITERS)}.")
    return sign


def _errors(encoding: str) -> str:
    """Keep invalid bytes visible in their field, so that only that row is refused."""
    return "surrogateescape" if encoding.startswith("utf-8") else "replace"


def _find_encoding(file: BinaryIO) -> str:
    head = file.read(_LOOK)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused("This is a spreadsheet, not a CSV file.", mend="Save it as CSV (UTF-8) and try again.")
    if head.count(0) > len(head) // 4:
        halves = head[0::2].count(0), head[1::2].count(0)
        if max(halves) > 8 * min(halves):
            return "utf-16-be" if halves[0] > halves[1] else "utf-16-le"
    if _NO_TEXT.search(head):
        raise FileRefused("This is not a text file.", mend="Choose a CSV file.")
    return _utf8_or_windows(head, file)


def _utf8_or_windows(head: bytes, file: BinaryIO) -> str:
    """Decide between UTF-8 and Windows-1252 by most non-ASCII bytes; a few broken rows do not count."""
    valid = high = holes = 0
    part = head
    while part:
        if not part.isascii():
            sequences = _WHOLE.findall(part)
            valid += len(sequences)
            high += len(_HIGH.findall(part)) - sum(map(len, sequences))
            holes += len(_HOLES.findall(part))
        part = file.read(_LOOK)
    return "utf-8" if high <= max(2, valid) and (valid or not high or holes) else "cp1252"


def _first_line(text: io.TextIOWrapper) -> str:
    line = text.readline(LONGEST_LINE)
    if len(line) >= LONGEST_LINE:
        raise FileRefused("The first line is longer than a million characters.", mend="Is this a CSV file?")
    return line


def _find_delimiter(head: str) -> str:
    bare = re.sub(r'"[^"]*"', "", head)
    return max(_DELIMITERS.values(), key=bare.count)


class CsvReader:
    """Reads the records of a file. `done` and `size`: bytes, for telling how far it is."""

    def __init__(self, file: Path | CsvSource, shape: Shape) -> None:
        self._source = as_source(file)
        self._file = self._source.open()
        self.size, self._version = self._source.size, self._source.version()
        self._text = io.TextIOWrapper(self._file, shape.encoding, _errors(shape.encoding), newline="")
        self._shape, self._line, self._long = shape, 0, False

    @property
    def done(self) -> int:
        """Return the number of bytes read."""
        return min(self._file.tell(), self.size)

    def records(self) -> Iterator[CsvRecord]:
        """Yield all records, including the first line. Raises `FileRefused` if the file changes meanwhile."""
        csv.field_size_limit(LONGEST_FIELD)
        reader = csv.reader(self._lines(self._text), delimiter=self._shape.delimiter, strict=True)
        while True:
            first_line = self._line + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield CsvRecord(first_line, [], _reason(str(error)))
                continue
            if self._long:
                self._long = False
                yield CsvRecord(first_line, [], "The line is longer than a million characters.")
            elif cells:
                yield CsvRecord(first_line, cells)
        if self._source.version() != self._version:
            raise FileRefused("The file was changed during the import.", mend="Try again when nothing writes to it.")

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(LONGEST_LINE):
            self._line += 1
            if len(line) >= LONGEST_LINE and not line.endswith("\n"):
                while (remainder := text.readline(LONGEST_LINE)) and not remainder.endswith(("\n", "\r")):
                    pass
                self._long, line = True, "\n"
            yield line

    def close(self) -> None:
        """Close the file."""
        self._text.close()


def _reason(message: str) -> str:
    """Return the csv module's error in our words, without a value."""
    if "field limit" in message or "end of data" in message:
        return "A quotation mark is not closed, or a field is longer than 131,072 characters."
    return "Misplaced quotation marks."

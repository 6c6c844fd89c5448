"""Decodes content into every text that a reader, browser or recipient could see in it.

It decodes gzip, zlib, zip, MIME parts, base64, hex, quoted-printable, URL encoding, HTML entities and tags, full-width
and invisible letters, to a limited depth and size. Content beyond the limits raises `TooDeep` and is not accepted. May
touch: nothing.
"""

import base64
import binascii
import email
import email.policy
import html
import io
import quopri
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from urllib.parse import unquote

from troth.core.errors import TrothError
from troth.vault.leak_marks import fold

DEPTH = 12
"""How many wrappings are undone, one inside the other; one that makes bytes (gzip, base64, hex) counts for two."""
SPARE = 16 << 20
"""Bytes that may be unwrapped from one content, besides eight times its own size."""
_BASE64 = re.compile(
    rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}"
    rb"(?:(?<=[A-Za-z0-9+/_-]{60})[ \t]*\r?\n[ \t>]*[A-Za-z0-9+/_-]+)*={0,2}"  # a long line goes on in the next
)
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{12,}(?![0-9A-Za-z])")
_HEX_PAIRS = re.compile(
    r"(?<![0-9a-z])(?:(?:\\x|0x)[0-9a-f]{2}[ :,]{0,2}|[0-9a-f]{2}[ :]){7,}(?:\\x|0x)?[0-9a-f]{2}(?![0-9a-z])"
)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_QUOTED = re.compile(r"(?<!=)=(?:[0-9A-F]{2}|[ \t]*\r?\n)")
_ENCODED = re.compile(r"(?<!=)=(?:[0-9A-F]{2}|[ \t]*\r?\n)|%[0-9A-Fa-f]{2}|&(?:#|[A-Za-z]{2,8};)|\\u[0-9A-Fa-f]{4}")
_PLUS = re.compile(r"(?<=\w)\+(?=\w)")
_NEAR = 200
"""Letters to each side of something encoded that are looked at once more, decoded: more than a postal address has."""
_GAP = "\nzqxjzqxj\n"
"""Between neighbourhoods: nobody's name."""
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_LONGEST_HEADER = 4_000
_HUGE_REFERENCE = re.compile(r"&#[0-9]{8,};?")
"""Of no letter; the standard library does not take so long a number."""
_DIGEST_SIZES = (16, 20, 32)
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


class TooDeep(TrothError):
    """Wrapped too deep, or too large once unwrapped, to be looked at. Tells nothing of what is inside."""


@dataclass(slots=True)
class Unwrapped:
    """What came out: texts, and what may be raw hashes."""

    texts: list[str] = field(default_factory=list)
    digests: set[bytes] = field(default_factory=set)


def unwrap(content: bytes, *, mail: bool = False) -> Unwrapped:
    """Decode everything. `mail`: the content is an email with MIME parts. Raises `TooDeep`."""
    return _Work(len(content) * 8 + SPARE).run(content, mail=mail)


class _Work:
    """One content being unwrapped."""

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._seen = set[tuple[type, int]]()
        self._out = Unwrapped()

    def run(self, content: bytes, *, mail: bool) -> Unwrapped:
        waiting: list[tuple[bytes | str, int]] = [(content, 0)]
        if mail:
            waiting += [(part, 1) for part in _mime(content)]
        while waiting:
            piece, depth = waiting.pop()
            mark = (type(piece), hash(piece))  # the type, too: Python gives `b"x"` and `"x"` one hash
            if not piece or mark in self._seen:
                continue
            self._seen.add(mark)
            inner = self._data(piece) if isinstance(piece, bytes) else self._text(piece)
            for inner_piece in inner:
                if depth >= DEPTH:
                    raise TooDeep("It is wrapped too deep to be looked at.")
                self._pay(len(inner_piece))
                waiting.append((inner_piece, depth + (2 if isinstance(inner_piece, bytes) else 1)))
        return self._out

    def _pay(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooDeep("It is too large once unwrapped to be looked at.")

    def _data(self, data: bytes) -> Iterator[bytes | str]:
        if data[:2] == b"\x1f\x8b" or data[:2] in _ZLIB:
            yield from self._inflated(data)
        elif data[:4] == b"PK\x03\x04":
            yield from self._zipped(data)
        yield from self._base64(data)
        yield _decoded(data)

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        while data:
            machine = zlib.decompressobj(wbits=47)
            try:
                plain = machine.decompress(data, self._left + 1)
            except zlib.error:
                return
            if len(plain) > self._left:
                raise TooDeep("It is too large once unwrapped to be looked at.")
            yield plain
            data = machine.unused_data  # further members of the same gzip file

    def _zipped(self, data: bytes) -> Iterator[bytes]:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                for entry in file.infolist():
                    yield entry.filename.encode()
                    if entry.flag_bits & 1:
                        raise TooDeep("It is locked.")
                    with file.open(entry) as inside:
                        yield inside.read(self._left + 1)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error, EOFError):
            raise TooDeep("It is a file that cannot be opened.") from None

    def _base64(self, data: bytes) -> Iterator[bytes]:
        for match in _BASE64.finditer(data):
            run = match.group().rstrip(b"=")
            if b"\n" in run:
                run = b"".join(run.replace(b">", b"").split())
            yield from self._promising(_from_base64(run))

    def _promising(self, plain: bytes) -> Iterator[bytes]:
        """Return the parts of decoded bytes that may be more than noise."""
        if len(plain) in _DIGEST_SIZES:
            self._out.digests.add(plain)
        packed = plain[:2] == b"\x1f\x8b" or plain[:4] == b"PK\x03\x04" or (plain[:2] in _ZLIB and _inflates(plain))
        if packed or _is_text(plain):
            yield plain

    def _text(self, text: str) -> Iterator[bytes | str]:
        folded = fold(text)
        self._out.texts.append(text)
        plain = _plain(text)
        if plain:
            yield plain
        if "<" in text:
            yield from _without_tags(text)
        for match in _HEX.finditer(folded):
            if len(match.group()) % 2 == 0:
                yield from self._promising(bytes.fromhex(match.group()))
        for match in _HEX_PAIRS.finditer(folded):
            bare = re.sub(r"\\x|0x|[ :,]", "", match.group())
            yield from self._promising(bytes.fromhex(bare))


def _plain(text: str) -> str:
    """Return the text around quoted-printable, URL encoding, entities and escapes, decoded; empty if there is none."""
    if not ("=" in text or "%" in text or "&" in text or "\\u" in text):
        return ""
    around = _around(text, _ENCODED)
    if not around:
        return ""
    if _QUOTED.search(around):
        around = quopri.decodestring(around.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    around = _HUGE_REFERENCE.sub("\ufffd", around)
    around = html.unescape(_ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), around))
    return unquote(_PLUS.sub(" ", around)) if _PERCENT.search(around) else around


def _without_tags(text: str) -> set[str]:
    """Return the text around tags and comments, without them and with a space instead of each."""
    spans = sorted(_tags(text))
    if not spans:
        return set()
    start, pieces = 0, list[str]()
    for begin, end in spans:
        if begin >= start:  # what begins inside of another has gone with it
            pieces.append(text[start:begin])
            start = end
    pieces.append(text[start:])
    shortened = [piece if len(piece) <= 2 * _NEAR else piece[:_NEAR] + _GAP + piece[-_NEAR:] for piece in pieces]
    return {"".join(shortened), " ".join(shortened)}


def _tags(text: str) -> Iterator[tuple[int, int]]:
    """Yield where tags and comments begin and end, in linear time: an unclosed one ends the search."""
    yield from (match.span() for match in _TAG.finditer(text))
    end = 0
    while (begin := text.find("<!--", end)) >= 0 and (close := text.find("-->", begin + 4)) >= 0:
        end = close + 3
        yield begin, end


def _around(text: str, pattern: re.Pattern[str]) -> str:
    """Return the surroundings of each match; the rest was checked as it is."""
    spans = list[list[int]]()
    for match in pattern.finditer(text):
        start, end = max(0, match.start() - _NEAR), match.end() + _NEAR
        if spans and start <= spans[-1][1]:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return _GAP.join(text[start:end] for start, end in spans)


def _mime(content: bytes) -> Iterator[bytes]:
    """Yield an email's headers and parts, decoded, to any depth that the parser allows."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        for part in message.walk():
            for name, value in part.items():
                yield f"{name}: {_header(str(value))}".encode("utf-8", "replace")
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload
                charset = part.get_content_charset() or "utf-8"
                yield payload.decode(charset, "replace").encode("utf-8", "replace")
    except (MessageError, LookupError, ValueError, RecursionError):
        raise TooDeep("It is a mail that cannot be taken apart.") from None


def _header(value: str) -> str:
    if len(value) > _LONGEST_HEADER:
        raise TooDeep("A line of its head is too long to be taken apart.")
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):
        return value


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _from_base64(run: bytes) -> bytes:
    complete = run[: len(run) // 4 * 4 + (0 if len(run) % 4 == 1 else len(run) % 4)]
    padded = complete + b"=" * (-len(complete) % 4)
    try:
        return base64.b64decode(padded.translate(_URL_SAFE))
    except (binascii.Error, ValueError):
        return b""


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_NOISE = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def _is_text(data: bytes) -> bool:
    if len(data) < 6 or _NOISE.search(data[:400]):
        return data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        data[:400].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > 390  # cut in the middle of a letter
    return True


def _inflates(data: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(data, 256)
    except zlib.error:
        return False
    return True

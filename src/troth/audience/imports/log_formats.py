"""Parses lines of server logs: combined (Apache, nginx), Caddy's JSON, nginx's JSON as commonly configured. A `Request`
has no `repr`, as it holds an address; invalid lines are reported by number. Sources: nginx `ngx_http_log_module`,
Apache `mod_log_config`, Caddy "How logging works"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from troth.audience.imports.log_prefixes import without_prefix
from troth.audience.imports.log_visitors import NOBODY, is_name, visitor
from troth.core.networks import parse

LONGEST_LINE = 64 * 1024
"""Bytes of a line at most."""


@dataclass(slots=True, repr=False)
class LoggedRequest:
    """One request that a server logged."""

    at: float
    """Seconds since 1970."""
    hops: Sequence[str]
    """The addresses that it passed, as logged, the nearest last."""
    method: str
    target: str
    """Path and query, as requested."""
    status: int
    referrer: str = ""
    agent: str = ""
    host: str = ""
    """Empty where the log does not say."""
    languages: str = ""
    asked_not: bool = False
    prefetched: bool = False

    @property
    def address(self) -> str:
        """Return the visitor's address where no proxies are configured."""
        return visitor(self.hops)


class NotALine(Exception):
    """A line that cannot be parsed. Never quotes the line."""


@dataclass(frozen=True, slots=True)
class Format:
    """A log format. Both functions raise `NotALine`."""

    name: str
    words: str
    parse: Callable[[bytes], LoggedRequest | None]
    """None: a valid line that is not about a request."""
    moment: Callable[[bytes], float | None]
    """Reads the time only, for scanning a file."""


# -- combined ---------------------------------------------------------------------------------------------------------

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_COMBINED = re.compile(
    rf"(.{{3,600}}?) \[([^\]]{{26}})\] {_QUOTED} (\d{{3}}) \S+(?: {_QUOTED} {_QUOTED})?(.*)", re.DOTALL
)
_STAMP = re.compile(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_DECORATION = re.compile(r"[\"()]")
_REST = re.compile(r'"([^"]*)"|(\S+)')
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)")
_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


def _combined(line: bytes) -> LoggedRequest | None:
    match = _COMBINED.match(line.decode("utf-8", "replace"))
    if match is None:
        raise NotALine
    head, stamp, request, status, referrer, agent, rest_of_line = match.groups()
    host, hops = _host_and_hops(head)
    method, _, target_and_protocol = request.partition(" ")
    target = target_and_protocol.rpartition(" ")[0] or target_and_protocol
    return LoggedRequest(
        _clf(stamp),
        (*_forwarded(rest_of_line), *hops),
        method,
        _plain(target),
        int(status),
        "" if referrer in {None, "-"} else _plain(referrer),
        "" if agent in {None, "-"} else _plain(agent),
        host,
    )


def _host_and_hops(head: str) -> tuple[str, list[str]]:
    """Return the virtual host and the addresses from what precedes the time, which may also have `identd`'s word and a
    user name with spaces. Raises `NotALine`."""
    words = re.sub(r",\s*", ",", _DECORATION.sub("", head)).split()
    if not words:
        raise NotALine
    host = ""
    if len(words) >= _OF_A_HOST and not _are_hops(words[0]) and _may_be_address(words[1], words[2:]):
        host, words = words[0], words[1:]
    hops = words[0].split(",")
    while len(words) > _AFTER_AN_ADDRESS + 1 and _are_hops(words[1]):
        words = words[1:]
        hops += words[0].split(",")
    if not host and len(words) > _AFTER_AN_ADDRESS + 1 and is_name(words[1]):
        host = words[1]
    return _host(host), hops


_AFTER_AN_ADDRESS = 2
_OF_A_HOST = 2 + _AFTER_AN_ADDRESS


def _may_be_address(word: str, following: Sequence[str]) -> bool:
    return _are_hops(word) or is_name(word) or {word, *following} == {"-"}


def _are_hops(word: str) -> bool:
    """Return whether a word is a list of addresses with commas, at least one of them real."""
    hops = word.split(",")
    return any(parse(hop) for hop in hops) and all(parse(hop) or hop in NOBODY for hop in hops)


def _forwarded(line_end: str) -> list[str]:
    """Return the `X-Forwarded-For` that nginx's `main` and similar formats log after the agent. An address further on
    may be that of the upstream server, which has a port."""
    for place, match in enumerate(_REST.finditer(line_end[:1_000])):
        word = re.sub(r",\s*", ",", match[1] if match[1] is not None else match[2]).strip()
        if _are_hops(word) and (not place or (match[1] is not None and "]" not in word and word.count(":") != 1)):
            return word.split(",")
    return []


def _host(name: str) -> str:
    """Return a virtual host without its port; empty for the catch-all host."""
    host = name.partition(":")[0].rstrip(".")
    return "" if host in {"_", "-", "default"} else host


def _combined_moment(line: bytes) -> float | None:
    match = _STAMP.search(line, 0, 1_000)
    if match is None:
        raise NotALine
    return _clf(match[1].decode())


def _clf(stamp: str) -> float:
    """Read a time as `25/Nov/2026:14:30:05 +0100`."""
    try:
        return _minute(stamp[:17], stamp[20:]) + int(stamp[18:20])
    except (ValueError, KeyError, OverflowError):
        raise NotALine from None


@lru_cache(maxsize=4_096)
def _minute(stamp: str, offset: str) -> float:
    day, month, year, hour, minute = stamp[:2], stamp[3:6], stamp[7:11], stamp[12:14], stamp[15:17]
    moment = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), tzinfo=UTC)
    away = int(offset[2:4]) * 60 + int(offset[4:6])
    if offset[0] != " " or offset[1] not in "+-" or len(offset) != 6 or away > 14 * 60:
        raise ValueError
    return moment.timestamp() - (away * 60 if offset[1] == "+" else -away * 60)


def _plain(text: str) -> str:
    r"""Return text without the escapes of Apache and nginx: `\xC3\xA4`, `\"`."""
    if "\\" not in text:
        return text
    data = _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
    try:
        return data.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # it has real letters beside the escapes
        return data


# -- JSON -------------------------------------------------------------------------------------------------------------


class _Asked(msgspec.Struct):
    method: str = ""
    uri: str = ""
    host: str = ""
    client_ip: str = ""
    remote_ip: str = ""
    remote_addr: str = ""
    headers: dict[str, list[str]] = {}


class _Caddy(msgspec.Struct):
    ts: float | str
    request: _Asked | None = None
    status: int = 0


class _CaddyMoment(msgspec.Struct):
    ts: float | str


_caddy_decoder, _caddy_moment_decoder = msgspec.json.Decoder(_Caddy), msgspec.json.Decoder(_CaddyMoment)
_any_decoder = msgspec.json.Decoder(dict[str, Any])


def _caddy(line: bytes) -> LoggedRequest | None:
    try:
        entry = _caddy_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotALine from None
    at, request = _when(entry.ts), entry.request
    if request is None or not request.method:
        return None
    headers = {name.lower(): values[0] for name, values in request.headers.items() if values}
    peer = request.client_ip or request.remote_ip or request.remote_addr
    return LoggedRequest(
        at,
        (*_listed(",".join(request.headers.get("X-Forwarded-For", ()))), peer),
        request.method,
        request.uri,
        entry.status,
        headers.get("referer", ""),
        headers.get("user-agent", ""),
        request.host.partition(":")[0],
        headers.get("accept-language", ""),
        headers.get("sec-gpc") == "1",
        _ahead(headers.get("sec-purpose", headers.get("purpose", headers.get("x-purpose", headers.get("x-moz", ""))))),
    )


def _caddy_moment(line: bytes) -> float | None:
    try:
        return _when(_caddy_moment_decoder.decode(line).ts)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotALine from None


_KEYS: Mapping[str, Sequence[str]] = {
    "at": (
        *(
            "time_iso8601",
            "@timestamp",
            "timestamp",
            "time_local",
            "time",
            "msec",
            "ts",
            "datetime",
            "date",
            "time_unix",
        ),
        *("event_datetime", "access_time"),
    ),
    "address": ("remote_addr", "client_ip", "remote_ip", "clientip", "client", "ip", "remote_address"),
    "forwarded": ("http_x_forwarded_for", "x_forwarded_for", "http_x_real_ip", "x_forward_for"),
    "method": ("request_method", "method"),
    "target": ("request_uri", "uri", "path", "url"),
    "query": ("args", "query_string", "query"),
    "asked": ("request",),
    "status": ("status", "status_code", "response_status", "code"),
    "referrer": ("http_referer", "http_referrer", "referer", "referrer"),
    "agent": ("http_user_agent", "user_agent", "agent", "useragent", "http_user-agent"),
    "host": ("host", "http_host", "vhost", "server_name", "domain"),
    "languages": ("http_accept_language", "accept_language"),
    "asked_not": ("http_sec_gpc", "sec_gpc"),
    "prefetched": ("http_sec_purpose", "http_purpose", "http_x_purpose", "http_x_moz"),
}
"""Common names of nginx's variables in JSON, the more specific first."""
_INVALID_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")


def _nginx_fields(line: bytes) -> dict[str, Any]:
    if b"\\x" in line:  # `escape=json` was forgotten
        line = _INVALID_ESCAPE.sub(rb"\\u00\1", line)
    try:
        fields = _any_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotALine from None
    for inner in [value for value in fields.values() if isinstance(value, dict)][:5]:
        fields = {**inner, **fields}
    return fields


def _pick(fields: Mapping[str, Any], field: str) -> str:
    for key in _KEYS[field]:
        value = fields.get(key)
        if isinstance(value, (str, int, float)) and value not in ("", "-"):
            return str(value)
    return ""


def _nginx(line: bytes) -> LoggedRequest | None:
    fields = _nginx_fields(line)
    method, target, status = _pick(fields, "method"), _pick(fields, "target"), _pick(fields, "status")
    request_line = _pick(fields, "asked").split(" ")
    if len(request_line) >= 2:
        method, target = request_line[0], request_line[1]
    elif target and "?" not in target and (query := _pick(fields, "query")):
        target = f"{target}?{query.lstrip('?')}"
    if not (status.isascii() and status.isdigit() and target and method):
        raise NotALine
    return LoggedRequest(
        _when(_pick(fields, "at")),
        (*_listed(_pick(fields, "forwarded")), *(_listed(_pick(fields, "address")) or [""])),
        method,
        target,
        int(status),
        _pick(fields, "referrer"),
        _pick(fields, "agent"),
        _pick(fields, "host").partition(":")[0],
        _pick(fields, "languages"),
        _pick(fields, "asked_not") == "1",
        _ahead(_pick(fields, "prefetched")),
    )


def _nginx_moment(line: bytes) -> float | None:
    return _when(_pick(_nginx_fields(line), "at"))


def _listed(text: str) -> list[str]:
    """Return the addresses in an `X-Forwarded-For`."""
    return [hop.strip() for hop in text.split(",") if hop.strip()]


def _when(value: float | str) -> float:
    """Return seconds since 1970 from seconds, milliseconds, ISO 8601 or the common log format. A zone is required."""
    if isinstance(value, str):
        if "/" in value[:6]:
            return _clf(value)
        if not value.replace(".", "", 1).isdigit():
            return _iso(value)
        value = float(value)
    if not 0 < value < 1e14:
        raise NotALine
    return value / 1_000 if value > 1e11 else value


def _iso(text: str) -> float:
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is None:
            raise ValueError
        return read.timestamp()
    except (ValueError, OverflowError):
        raise NotALine from None


FORMATS = {
    format.name: format
    for format in (
        Format("combined", "a combined log", without_prefix(_combined), _combined_moment),
        Format("caddy", "a Caddy JSON log", without_prefix(_caddy), without_prefix(_caddy_moment)),
        Format("nginx-json", "an nginx JSON log", without_prefix(_nginx), without_prefix(_nginx_moment)),
    )
}


def detect(lines: Sequence[bytes]) -> Format | None:
    """Return the format of most lines, or None. A log without user agents has none: without them people and programs
    look alike."""
    scores = {name: sum(_read_well(form, line) for line in lines) for name, form in FORMATS.items()}
    best = max(scores, key=lambda name: scores[name])
    return FORMATS[best] if scores[best] * 2 >= len(lines) and scores[best] else None


def _read_well(form: Format, line: bytes) -> bool:
    try:
        request = form.parse(line)
    except NotALine:
        return False
    return request is not None and bool(request.agent or form.name != "combined" or line.count(b'"') >= 6)


def _ahead(purpose: str) -> bool:
    """Return whether a browser fetched a page in advance."""
    return any(mark in purpose.lower() for mark in ("prefetch", "prerender", "preview"))

"""Lines of server logs: combined (Apache, nginx), Caddy's JSON, nginx's JSON as it is commonly set up. Touches nothing.

A line becomes a `Request`, which has no `repr`: it knows an address and an agent. What a line cannot say is bad, and is
told by its number only. Sources: nginx `ngx_http_log_module`, Apache `mod_log_config`, Caddy "How logging works".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

LONGEST_LINE = 64 * 1024
"""Bytes of a line at most."""


@dataclass(slots=True, repr=False)
class Request:
    """One request that a server logged."""

    at: float
    """Seconds since 1970."""
    address: str
    method: str
    target: str
    """Path and query, as they were asked for."""
    status: int
    referrer: str = ""
    agent: str = ""
    host: str = ""
    """Empty where the log does not say."""
    languages: str = ""
    asked_not: bool = False
    prefetched: bool = False


class NotALine(Exception):
    """A line that cannot be read; says nothing of what stands in it."""


@dataclass(frozen=True, slots=True)
class Format:
    """How lines are read. Both raise `NotALine`."""

    name: str
    words: str
    parse: Callable[[bytes], Request | None]
    """None: a line that is well-formed and about no request."""
    moment: Callable[[bytes], float | None]
    """Only when it was: for looking through a file before anything of it is counted."""


# -- combined ---------------------------------------------------------------------------------------------------------

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_COMBINED = re.compile(
    rf'([^\[\]"]{{3,400}}) \[([^\]]{{26}})\] {_QUOTED} (\d{{3}}) \S+(?: {_QUOTED} {_QUOTED})?(.?)', re.DOTALL
)
_STAMP = re.compile(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*")
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)")
_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


def _combined(line: bytes) -> Request | None:
    found = _COMBINED.match(line.decode("utf-8", "replace"))
    if found is None:
        raise NotALine
    head, stamp, asked, status, referrer, agent, _ = found.groups()
    words = head.split(" ", 2)
    host = ""
    if len(words) == 3 and _ADDRESS.fullmatch(words[1]):  # the virtual host stands before the address
        host, words = words[0].partition(":")[0], words[1:]
    method, _, rest = asked.partition(" ")
    target = rest.rpartition(" ")[0] or rest
    return Request(
        _clf(stamp),
        words[0],
        method,
        _plain(target),
        int(status),
        "" if referrer in {None, "-"} else _plain(referrer),
        "" if agent in {None, "-"} else _plain(agent),
        host,
    )


def _combined_moment(line: bytes) -> float | None:
    found = _STAMP.search(line, 0, 1_000)
    if found is None:
        raise NotALine
    return _clf(found[1].decode())


def _clf(stamp: str) -> float:
    """`25/Nov/2026:14:30:05 +0100`."""
    try:
        return _minute(stamp[:17], stamp[20:]) + int(stamp[18:20])
    except (ValueError, KeyError, OverflowError):
        raise NotALine from None


@lru_cache(maxsize=4_096)
def _minute(stamp: str, offset: str) -> float:
    day, month, year, hour, minute = stamp[:2], stamp[3:6], stamp[7:11], stamp[12:14], stamp[15:17]
    made = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), tzinfo=UTC)
    away = int(offset[2:4]) * 60 + int(offset[4:6])
    if offset[0] != " " or offset[1] not in "+-" or len(offset) != 6 or away > 14 * 60:
        raise ValueError
    return made.timestamp() - (away * 60 if offset[1] == "+" else -away * 60)


def _plain(text: str) -> str:
    r"""Apache and nginx write what is not printable as `\xC3\xA4`, and quotes with a stroke before them."""
    if "\\" not in text:
        return text
    data = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
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


def _caddy(line: bytes) -> Request | None:
    try:
        told = _caddy_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotALine from None
    at, asked = _when(told.ts), told.request
    if asked is None or not asked.method:
        return None
    headers = {name.lower(): values[0] for name, values in asked.headers.items() if values}
    address = asked.client_ip or asked.remote_ip or asked.remote_addr.rpartition(":")[0].strip("[]")
    return Request(
        at,
        address,
        asked.method,
        asked.uri,
        told.status,
        headers.get("referer", ""),
        headers.get("user-agent", ""),
        asked.host.partition(":")[0],
        headers.get("accept-language", ""),
        headers.get("sec-gpc") == "1",
        "prefetch" in headers.get("sec-purpose", headers.get("purpose", "")),
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
    "prefetched": ("http_sec_purpose", "http_purpose"),
}
"""What nginx's variables are commonly called in JSON, the more telling name first."""
_INVALID_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")


def _nginx_fields(line: bytes) -> dict[str, Any]:
    if b"\\x" in line:  # `escape=json` was forgotten
        line = _INVALID_ESCAPE.sub(rb"\\u00\1", line)
    try:
        told = _any_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotALine from None
    for inner in [value for value in told.values() if isinstance(value, dict)][:5]:
        told = {**inner, **told}
    return told


def _pick(told: Mapping[str, Any], field: str) -> str:
    for key in _KEYS[field]:
        value = told.get(key)
        if isinstance(value, (str, int, float)) and value not in ("", "-"):
            return str(value)
    return ""


def _nginx(line: bytes) -> Request | None:
    told = _nginx_fields(line)
    method, target, status = _pick(told, "method"), _pick(told, "target"), _pick(told, "status")
    asked = _pick(told, "asked").split(" ")
    if len(asked) >= 2:
        method, target = asked[0], asked[1]
    elif target and "?" not in target and (query := _pick(told, "query")):
        target = f"{target}?{query.lstrip('?')}"
    if not (status.isascii() and status.isdigit() and target and method):
        raise NotALine
    return Request(
        _when(_pick(told, "at")),
        _address(_pick(told, "address"), _pick(told, "forwarded")),
        method,
        target,
        int(status),
        _pick(told, "referrer"),
        _pick(told, "agent"),
        _pick(told, "host").partition(":")[0],
        _pick(told, "languages"),
        _pick(told, "asked_not") == "1",
        "prefetch" in _pick(told, "prefetched"),
    )


def _nginx_moment(line: bytes) -> float | None:
    return _when(_pick(_nginx_fields(line), "at"))


def _address(direct: str, forwarded: str) -> str:
    """Behind a proxy on this machine or in this house, what the proxy said."""
    near = direct in {"", "::1", "unix:"} or direct.startswith(("127.", "10.", "192.168.", "172."))
    return forwarded.split(",", 1)[0].strip() if near and forwarded else direct


def _when(told: float | str) -> float:
    """Seconds since 1970, out of seconds, milliseconds, ISO 8601 or the common log's form. A zone must be told."""
    if isinstance(told, str):
        if "/" in told[:6]:
            return _clf(told)
        if not told.replace(".", "", 1).isdigit():
            return _iso(told)
        told = float(told)
    if not 0 < told < 1e14:
        raise NotALine
    return told / 1_000 if told > 1e11 else told


def _iso(told: str) -> float:
    try:
        read = datetime.fromisoformat(told)
        if read.tzinfo is None:
            raise ValueError
        return read.timestamp()
    except (ValueError, OverflowError):
        raise NotALine from None


FORMATS = {
    made.name: made
    for made in (
        Format("combined", "a combined log", _combined, _combined_moment),
        Format("caddy", "Caddy's JSON", _caddy, _caddy_moment),
        Format("nginx-json", "JSON of nginx", _nginx, _nginx_moment),
    )
}


def found(lines: Sequence[bytes]) -> Format | None:
    """The format that most of these lines have; none where hardly any can be read. A log without agents has none: in it
    people and programs cannot be told apart."""
    scores = {name: sum(_read_well(form, line) for line in lines) for name, form in FORMATS.items()}
    best = max(scores, key=lambda name: scores[name])
    return FORMATS[best] if scores[best] * 2 >= len(lines) and scores[best] else None


def _read_well(form: Format, line: bytes) -> bool:
    try:
        request = form.parse(line)
    except NotALine:
        return False
    return request is not None and bool(request.agent or form.name != "combined" or line.count(b'"') >= 6)

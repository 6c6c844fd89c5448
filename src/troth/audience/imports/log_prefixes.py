"""Removes what syslog, journald, Docker, Compose or Kubernetes put before or around a log line. Sources: RFC 3164,
section 4.1; RFC 5424, section 6; Kubernetes' CRI log format; Docker's `json-file` driver; systemd's journal export."""

import re
from collections.abc import Callable

import msgspec

_AT = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?"
_TAG = rb"[^\s:\[\]\"]{1,100}(?:\[\d+\])?: "
_COLOUR = rb"(?:\x1b\[[0-9;]*m)"
_PREFIX = re.compile(
    b"|".join(
        (
            _COLOUR + b"+",
            rb"[\w.@/-]+ *" + _COLOUR + rb"*\|" + _COLOUR + b"* ",  # Compose: `web-1  | `
            rb"\[(?:pod|container)/[^\]\s]+\] ",  # kubectl logs --prefix
            rb"<\d{1,3}>(?=\S)",  # syslog's priority
            rb"1 " + _AT + rb" \S+ \S+ \S+ \S+ (?:-|(?:\[[^\]]*\])+) ",  # RFC 5424
            rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:\S+ )?" + _TAG,  # RFC 3164, journalctl
            _AT + rb" (?:stdout|stderr) [FP] ",  # CRI
            _AT + rb" \S+ " + _TAG,  # rsyslog, journalctl -o short-iso
            _AT + b" +",  # docker logs --timestamps
        )
    )
)
_MOST = 6
"""Prefixes of one line at most, such as Compose, a time and syslog."""
_BOM = b"\xef\xbb\xbf"


class _Wrapped(msgspec.Struct):
    """A line in a JSON field, as Docker, journald and log shippers write it."""

    log: str = ""
    MESSAGE: str = ""
    message: str = ""


_decoder = msgspec.json.Decoder(_Wrapped)
_WRAPS = re.compile(rb'"(?:log|MESSAGE|message)"\s*:\s*"')


def bare(line: bytes) -> bytes:
    """Return the line as the server wrote it."""
    return _unwrapped(_after_prefixes(line))


def _after_prefixes(line: bytes) -> bytes:
    for _ in range(_MOST):
        match = _PREFIX.match(line)
        if match is None:
            return line
        line = line[match.end() :].removeprefix(_BOM)
    return line


def _unwrapped(line: bytes) -> bytes:
    if not line.startswith(b"{") or not _WRAPS.search(line, 0, 4_096):
        return line
    try:
        wrapped = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return line
    text = (wrapped.log or wrapped.MESSAGE or wrapped.message).strip().encode()
    is_a_line = text.startswith(b"{") or (b" [" in text and b'"' in text)
    return _after_prefixes(text) if is_a_line else line


def without_prefix[T](read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Wrap `read` for lines that may have a prefix."""
    return lambda line: read(bare(line))

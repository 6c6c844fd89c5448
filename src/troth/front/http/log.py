"""What the front may log about itself: closed words on standard error, never what a visitor sent. No address, URL,
header or exception's text: an exception is named by type and line. A flood of one event is counted, not written."""

import logging
import sys
import threading
import time
from enum import StrEnum

from troth.core.errors import error_place

_QUIET_SECONDS = 10.0
_MOST_KEYS = 512


class LogEvent(StrEnum):
    """All that can be said."""

    SERVING = "serving"
    STOPPED = "stopped"
    PUBLISHED = "published"
    """A new generation is in force."""
    PUBLISHED_UNREADABLE = "published_unreadable"
    COUNTRIES_UNREADABLE = "countries_unreadable"
    """The file under `country_database` is no database of countries; visits are counted without."""
    CLERK_LINE_ENDED = "clerk_line_ended"
    CLERK_GONE = "clerk_gone"
    CLERK_BUSY = "clerk_busy"
    UNHANDLED = "unhandled"
    """A mistake of ours; the visitor got a page that says so."""
    PROXY_NOT_NAMED = "proxy_not_named"
    """A loopback peer forwards for others and is not in `trusted_proxies`: everybody is refused until it is."""
    CARD_NUMBER_IN_NOTICE = "card_number_in_notice"
    """What claimed to be a notice of the card company had a card number in it: it was not stored."""
    LIBRARY = "library"
    """A library complained. What it said is not repeated: it may quote what came in."""


class _Said:
    """When each line was said last, and how often it was held back since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[float, int]] = {}

    def admit(self, line: str) -> int | None:
        """Return how many equal lines were held back before this one; None if this one is to be held back, too."""
        now = time.monotonic()
        with self._lock:
            at, suppressed = self._last.get(line, (-_QUIET_SECONDS, 0))
            if now - at < _QUIET_SECONDS:
                self._last[line] = (at, suppressed + 1)
                return None
            if len(self._last) >= _MOST_KEYS:
                self._last.clear()
            self._last[line] = (now, 0)
            return suppressed


_recent = _Said()
_number = 0


def tell(event: LogEvent, *, error: BaseException | None = None, **facts: int) -> None:
    """Say `event`, with whole numbers as facts, and of `error` its type and place."""
    parts = [f"front={_number}", f"event={event}", *(f"{name}={value}" for name, value in facts.items())]
    if error is not None:
        parts += [f"exception={type(error).__name__}", f"at={error_place(error)}"]
    _write(" ".join(parts))


def _write(line: str) -> None:
    suppressed = _recent.admit(line)
    if suppressed is not None:
        print(line + (f" held_back={suppressed}" if suppressed else ""), file=sys.stderr, flush=True)  # noqa: T201


class _Closed(logging.Handler):
    """Libraries' log records, cut down to who complained and where."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.module}:{record.lineno}"
        kind = f" exception={type(error).__name__}" if error else ""
        _write(f"front={_number} event={LogEvent.LIBRARY} by={record.name} level={record.levelname} at={place}{kind}")


def take_over(number: int) -> None:
    """Make this the only way in which anything in this process is written down."""
    global _number
    _number = number
    logging.basicConfig(handlers=[_Closed(logging.WARNING)], level=logging.WARNING, force=True)
    sys.excepthook = lambda kind, error, trace: tell(LogEvent.UNHANDLED, error=error)
    sys.unraisablehook = lambda raised: tell(LogEvent.UNHANDLED, error=raised.exc_value)
    threading.excepthook = lambda raised: tell(LogEvent.UNHANDLED, error=raised.exc_value)

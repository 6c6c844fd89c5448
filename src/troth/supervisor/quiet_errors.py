"""What a process logs when a library complains or our code fails: kind and place, never the words.

A database driver's error quotes values, a web framework's log a one-time link, a mail library's the recipient (C2). So
everything that reaches Python's own ways of logging is cut down; sentences of our own modules are logged in full.
Standard library only; touches stderr.
"""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from troth.core.errors import error_place


def take_over(role: str) -> None:
    """Make this the way in which this process says what nobody else said."""

    def fell(error: BaseException | None) -> None:
        for inner in _each(error):
            if not isinstance(inner, SystemExit):  # how a thread is ended
                _say(role, f"event=unhandled {_told(inner)}")

    logging.basicConfig(handlers=[_Closed(role)], level=logging.WARNING, force=True)
    sys.excepthook = lambda _kind, error, _trace: fell(error)
    sys.unraisablehook = lambda raised: fell(raised.exc_value)
    threading.excepthook = lambda raised: fell(raised.exc_value)
    warnings.showwarning = lambda *warned: _warned(role, *warned)


def _say(role: str, message: str) -> None:
    print(f"{role}: {message}", file=sys.stderr, flush=True)  # noqa: T201


def _each(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that came with it."""
    if error is not None:
        yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)


def _told(error: BaseException) -> str:
    return f"exception={type(error).__name__} at={error_place(error)}"


def _warned(
    role: str,
    _message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    _file: TextIO | None = None,
    _line: str | None = None,
) -> None:
    _say(role, f"event=warning kind={category.__name__} at={Path(filename).name}:{lineno}")


class _Closed(logging.Handler):
    """Log records, cut down to who complained and where."""

    def __init__(self, role: str) -> None:
        super().__init__(logging.WARNING)
        self._role = role

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("troth."):
            return _say(self._role, record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        parts = [f"event=library by={record.name} level={record.levelname} at={record.module}:{record.lineno}"]
        if isinstance(status := getattr(record, "status_code", None), int):
            parts.append(f"status={status}")
        for inner in _each(error):
            parts.append(_told(inner))
        _say(self._role, " ".join(parts))

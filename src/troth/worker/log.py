"""The worker's log: one line for each thing that happened, with a closed list of fields (C2).

There is no field for a detail of a person, nor for free text that came from outside. An unknown field or a value of
another type is an error of the program, found by the first test that runs the line. An exception is told by its type
and the line of our code; its message is not, since a database driver's quotes values.
"""

import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog

_COUNTS = (
    *(
        "signups",
        "messages",
        "confirmed",
        "left",
        "links_refused",
        "links_without_effect",
        "replayed",
        "aside",
        "filed",
    ),
    *("rights_asked", "rights_without_effect", "exports_asked", "erasures_asked", "erased"),
    *("sent", "queued", "failed", "uncertain", "held", "suppressed", "sending", "lost_claim", "recovered", "count"),
)
_FACTS = ("sequence", "offset", "size", "reason", "epoch", "generation", "error", "at", "wait", "seconds", "code")
FIELDS = frozenset((*_COUNTS, *_FACTS))
_OURS = str(Path(__file__).resolve().parents[1])


class UnknownField(TypeError):
    """A log line with a field that is not on the list."""


def _closed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name in ("event", "level", "timestamp", "process"):
            continue
        if name not in FIELDS or not isinstance(value, int | float | str | UUID | None):
            raise UnknownField(f"a log line has no field {name!r} of type {type(value).__name__}")
    return event


def set_up(*, json: bool = False) -> None:
    """Write to stderr: one line for people, or one JSON object."""
    shown = (
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.processors.KeyValueRenderer(
            key_order=["timestamp", "process", "event"], drop_missing=True, repr_native_str=False
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _closed,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shown,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> Any:
    """The worker's logger."""
    return structlog.get_logger().bind(process="worker")


def told(error: BaseException) -> dict[str, str]:
    """What the log may say of an exception: its type, and where in our code it passed."""
    return {"error": type(error).__name__, "at": _place(error.__traceback__)}


def _place(trace: TracebackType | None) -> str:
    place = ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(_OURS):
            place = f"{Path(name).relative_to(_OURS)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place

"""The worker's log: one line for each thing that happened, with a closed list of fields (C2).

There is no field for a person's details, nor for free text from outside. An unknown field or a value of another type is
left out and counted in `left_out`; tests let none pass. Of an exception it has the type and the line of our code, not
the message: a database driver's quotes values.
"""

import sys
from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

import structlog

from troth.core.errors import error_place
from troth.core.intake_counts import Count

_MAILS = ("sent", "queued", "failed", "uncertain", "suppressed", "skipped", "held", "lost_claim", "recovered")
_FACTS = (
    *("sequence", "offset", "size", "reason", "epoch", "generation", "error", "at", "wait", "seconds", "code"),
    *("count", "left_out"),
)
FIELDS = frozenset((*Count, *_MAILS, *_FACTS))
_ALWAYS = frozenset({"event", "level", "timestamp", "process"})


def _closed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out what is not on the list, and say how much that was: a line is not worth the process that writes it."""
    unknown = [name for name, value in event.items() if name not in _ALWAYS and not _known(name, value)]
    for name in unknown:
        del event[name]
    if unknown:
        event["left_out"] = len(unknown)
    return event


def _known(name: str, value: object) -> bool:
    return name in FIELDS and isinstance(value, int | float | str | UUID | None)


def set_up(*, json: bool = False) -> None:
    """Write to stderr: one line for people, or one JSON object."""
    renderer = (
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
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> Any:
    """Return the worker's logger."""
    return structlog.get_logger().bind(process="worker")


def error_fields(error: BaseException) -> dict[str, str]:
    """Return what the log may say of an exception: its type, and where in our code it passed."""
    return {"error": type(error).__name__, "at": error_place(error)}

"""How personal values travel inside of an envelope or a box: plain text there, and their own types outside.

Touches nothing; the front imports it by way of `vault.envelope`.
"""

from typing import Any

from troth.core.personal import Personal


def plain(value: object) -> str:
    """A personal value as it is packed: msgspec's hook for whatever it does not know itself."""
    if isinstance(value, Personal):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} cannot be packed: give the field a type of troth.core.personal")


def personal(kind: type, value: Any) -> Personal:
    """The same in its type again. msgspec turns a `TypeError` into an error of its own; another would pass through it
    and stop intake."""
    if issubclass(kind, Personal) and isinstance(value, str):
        return kind(value)
    raise TypeError(f"this is no {kind.__name__}")

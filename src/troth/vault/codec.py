"""Converts personal values to text for an envelope or a box, and back to their types.

Touches nothing; the front imports it through `vault.envelope`.
"""

from typing import Any

from troth.core.personal import Personal


def plain(value: object) -> str:
    """Return a personal value as text: msgspec's `enc_hook`."""
    if isinstance(value, Personal):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} cannot be packed: give the field a type of troth.core.personal")


def personal(kind: type, value: Any) -> Personal:
    """Return text as a personal value: msgspec's `dec_hook`. msgspec converts a `TypeError` into its own error; any
    other would pass through and stop intake."""
    if issubclass(kind, Personal) and isinstance(value, str):
        return kind(value)
    raise TypeError(f"this is no {kind.__name__}")

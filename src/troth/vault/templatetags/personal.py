"""The one way by which a personal value gets onto a page: `{{ value|shown }}`. The template escapes what comes out."""

import re

from django import template

from troth.core.personal import Personal
from troth.core.text.card_numbers import MASK

register = template.Library()
_MASKED = re.compile(f"{MASK}[0-9]{{4}}")


@register.filter
def shown(value: object, otherwise: str = "") -> str:
    """Return the detail as text, for the page that was opened for it; `otherwise` where there is none.

    Anything but a personal value is refused, so that nobody routes a plain string past the types.
    """
    if value is None:
        return otherwise
    if not isinstance(value, Personal):
        raise TypeError("`shown` is for personal values")
    return value.reveal()


@register.filter
def was_masked(value: object) -> bool:
    """Whether a card number was taken out of a detail (B2); says nothing else of it."""
    return isinstance(value, Personal) and bool(_MASKED.search(value.reveal()))

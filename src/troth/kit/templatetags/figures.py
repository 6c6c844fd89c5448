"""Defines the filter `thousands`, which writes a number as 12,345."""

from django import template

from troth.kit import numbers

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """Return `number` with its thousands parted."""
    return numbers.count(number)

"""Filter that puts WebAuthn options into an attribute, so that no page needs an inline script."""

import json

from django import template

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """Return `value` as JSON; the template escapes it for its attribute."""
    return json.dumps(value, separators=(",", ":"))

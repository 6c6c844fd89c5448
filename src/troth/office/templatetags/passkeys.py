"""One filter: WebAuthn options as JSON for an attribute, so that no page needs an inline script."""

import json

from django import template

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """`value` as JSON; the template escapes it for the attribute it stands in."""
    return json.dumps(value, separators=(",", ":"))

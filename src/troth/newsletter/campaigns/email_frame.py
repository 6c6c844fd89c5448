"""The document in which the console shows an email: HTML or plain text, light or dark. Touches nothing.

What an operator pasted stands in it. It is a document of its own, in a frame whose sandbox runs no script, and its
policy loads nothing but our own pictures; no part of it ever stands in a page of the console.
"""

import re

from django.conf import settings
from django.utils.html import format_html

from troth.newsletter.campaigns.drafts import Preview

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox allow-same-origin"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
}
"""`allow-same-origin` lets the editor keep the place to which one scrolled; without `allow-scripts` nothing runs."""
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_TRUE, _FALSE = "(min-width: 0)", "(max-width: 0)"
_PLAIN = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="{}">'
    "<title>{}</title></head><body>{}</body></html>"
)


def document(preview: Preview, *, part: str = "", dark: bool = False) -> str:
    """Return the email as a page: its HTML, or its plain text for `part="text"`, with light or dark colours."""
    scheme = "dark" if dark else "light"
    if preview.error:
        words = format_html('<p style="font: 16px sans-serif; margin: 2em">{}</p>', preview.error)
        return format_html(_PLAIN, scheme, "No preview", words)
    if part == "text":
        style = "margin: 1.5em; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.6 monospace"
        words = format_html('<pre style="{}">{}</pre>', style, preview.text)
        return format_html(_PLAIN, scheme, preview.subject, words)
    coloured = _DARK.sub(lambda match: _TRUE if match[1] == scheme else _FALSE, preview.html)
    return coloured.replace(f'src="{settings.TROTH_CONFIG.site.url}/images/', 'src="/newsletter/images/')

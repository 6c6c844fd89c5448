"""Turn a form's bytes into a few named texts, or refuse them with a reason that never repeats a value (C1). Strict,
because what is lenient here decides what is stored: no field twice, none that was not asked for, no broken
percent-encoding, only UTF-8. Source: WHATWG URL, section 5 (application/x-www-form-urlencoded)."""

import re
from collections.abc import Set
from urllib.parse import unquote_to_bytes

from troth.core.errors import TrothError

BODY_LIMIT = 16 * 1024
"""Bytes of a form at most, unless it says otherwise itself."""
FIELD_LIMIT = 16
"""Fields of a form at most, where it has no more itself."""
FORM_TYPE = b"application/x-www-form-urlencoded"
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SHOWABLE = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")


class FormRefused(TrothError):
    """A refused request, with its HTTP status. `heading`: the page's, where the status has no fitting one."""

    def __init__(self, status: int, message: str, *, heading: str = "", mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.status, self.heading = status, heading


def check_type(content_type: bytes, content_encoding: bytes) -> None:
    """Refuse (415) everything but an uncompressed form in UTF-8."""
    kind, _, parameters = content_type.partition(b";")
    if kind.strip().lower() == b"multipart/form-data":
        raise FormRefused(
            415,
            "This form does not accept files, and none was stored.",
            mend="Send it without an attachment, and describe the file in your message.",
        )
    charset = parameters.replace(b" ", b"").replace(b'"', b"").lower()
    good = kind.strip().lower() == FORM_TYPE and charset in {b"", b"charset=utf-8", b"charset=utf8"}
    if not good or content_encoding.strip().lower() not in {b"", b"identity"}:
        raise FormRefused(
            415,
            "This is not a form as browsers send it.",
            mend="Send it as application/x-www-form-urlencoded, in UTF-8, uncompressed.",
        )


def parse(body: bytes, allowed: Set[str]) -> dict[str, str]:
    """Return the fields in `body`, each once and each one of `allowed`. Raises `FormRefused` (400)."""
    fields: dict[str, str] = {}
    pairs = body.split(b"&") if body else []
    limit = max(FIELD_LIMIT, len(allowed))
    if len(pairs) > limit:
        raise FormRefused(400, f"The form has more than {limit} fields.")
    for pair in pairs:
        raw_name, equals, raw_value = pair.partition(b"=")
        if not equals:
            raise FormRefused(400, "The form is malformed: a field has no equals sign.")
        name = _text(raw_name)
        if name not in allowed:
            raise FormRefused(400, f"The form has an unknown field{_shown(name)}.", mend=_LEAVE_IT)
        if name in fields:
            raise FormRefused(400, f"The form has the same field twice{_shown(name)}.", mend="Send each field once.")
        fields[name] = _text(raw_value)
    return fields


def too_large() -> FormRefused:
    """Return the refusal of a body beyond its form's limit."""
    return FormRefused(413, "Your entries are too long for this form.", mend="Shorten them and send the form again.")


_LEAVE_IT = "Only the form’s own fields are accepted. Nothing was stored."


def _shown(name: str) -> str:
    # Letters only: a name that carries digits may carry a telephone or card number.
    return f": {name}" if _SHOWABLE.fullmatch(name) else ""


def _text(raw: bytes) -> str:
    if _BROKEN_PERCENT.search(raw):
        raise FormRefused(400, "The form is malformed: a percent sign is not followed by two digits.")
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise FormRefused(400, "The form is not encoded in UTF-8.", mend="Send it in UTF-8.") from None

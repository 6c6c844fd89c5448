"""Language tags such as `de` or `pt-BR` (RFC 5646): what is one, and how it is written. Touches nothing."""

import re

LONGEST = 35
"""Characters of a tag at most (RFC 5646, section 4.4.1)."""
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def is_language(tag: str) -> bool:
    """Return whether this is a language tag such as `en` or `pt-BR`."""
    return _TAG.fullmatch(tag) is not None


def usual(tag: str) -> str:
    """Return a tag as it is usually written, whatever its case (RFC 5646, section 2.1.1): `pt-BR`, `zh-Hant`."""
    first, *others = tag.replace("_", "-").split("-")
    return "-".join([first.lower(), *map(_subtag, others)])


def _subtag(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.capitalize() if len(part) == 4 and part.isalpha() else part.lower()

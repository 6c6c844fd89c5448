"""The policy as the worker makes it and the front shows it: pages, JSON, versions, each in two forms.

Touches nothing; the front imports it.
"""

import msgspec


class OldVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version of the policy, for the page of all of them."""

    number: int
    at: str
    """Since when it was in force, ISO 8601 in UTC."""
    digest: str
    said: str
    """What changed, in the operator's words."""
    html: str
    """Inert; empty for the version in force and for very old ones."""
    changes: str
    """HTML, inert: what went and what came; empty for the first."""


class PrivacyPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The policy, made by the worker. Where the last proof is too old the front shows the other form by itself."""

    fresh: str
    """HTML, inert; what it says holds from `since_ms` until `until_ms`."""
    stale: str
    """What is true before and afterwards."""
    fresh_embed: str
    """The same with its headings one step lower, for a vendor's own page."""
    stale_embed: str
    fresh_json: str
    stale_json: str
    since_ms: int
    """Milliseconds since 1970."""
    until_ms: int
    stated: str
    """The date since which it is in force: `2026-11-25`."""
    versions: list[OldVersion] = []
    """All of them, the newest first."""

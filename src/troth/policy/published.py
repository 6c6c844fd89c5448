"""The policy as the worker passes it to the front, which imports this: pages, JSON and versions."""

import msgspec


class OldVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version of the policy, for the page of all versions."""

    number: int
    at: str
    """Start of its validity, ISO 8601 in UTC."""
    digest: str
    said: str
    """What changed, in the operator's words."""
    html: str
    """Inert HTML; empty for the version in force and for very old ones."""
    changes: str
    """Inert HTML of the changes; empty for the first."""


class PrivacyPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The policy as the worker rendered it. If the last proof is too old, the front shows the stale form by itself."""

    fresh: str
    """Inert HTML that is true from `since_ms` until `until_ms`."""
    stale: str
    """Inert HTML that is true before and afterwards."""
    fresh_embed: str
    """`fresh` with headings one step lower, for a page of the vendor."""
    stale_embed: str
    fresh_json: str
    stale_json: str
    since_ms: int
    """Milliseconds since 1970."""
    until_ms: int
    stated: str
    """The date of publication: `2026-11-25`."""
    versions: list[OldVersion] = []
    """All versions, newest first."""

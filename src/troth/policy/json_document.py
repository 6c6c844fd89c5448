"""`/.well-known/privacy-promises.json`: the policy for programs. The structs below are its form; the schema that is
served, and docs/privacy-promises.schema.json, are made from them.

Touches nothing; the front imports it.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

VERSION: Literal["privacy-promises/1"] = "privacy-promises/1"
PATH = ".well-known/privacy-promises.json"
SCHEMA_PATH = ".well-known/privacy-promises.schema.json"
type StateName = Literal["kept", "broken", "unproven", "stale"]


class _Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ProofTold(_Told, frozen=True):
    """One way in which a promise was tried."""

    id: str
    state: StateName
    tried: Annotated[str, Meta(description="How it is tried, in words.")]
    sees: Annotated[str, Meta(description="Which breach it would have seen.")]
    detail: Annotated[str, Meta(description="What was found; empty while it was not tried yet.")] = ""
    at: Annotated[datetime | None, Meta(description="When it was tried last.")] = None


class PromiseTold(_Told, frozen=True, kw_only=True):
    """One promise. `kept`: tried then, in these ways, and not refuted."""

    id: str
    means: str
    state: StateName
    verified_at: Annotated[datetime | None, Meta(description="When all of its proofs had been tried.")]
    proofs: list[ProofTold]
    breaches_seen: Annotated[
        list[str], Meta(description="Breaches made on purpose, on a copy of the program, that the proofs have seen.")
    ] = []
    yourself: Annotated[str, Meta(description="Where you can look for yourself.")] = ""


class PolicyTold(_Told, frozen=True):
    """Which text is in force."""

    version: int
    in_force_since: datetime
    sha256: Annotated[str, Meta(description="Of the text as UTF-8, hex.", pattern="^[0-9a-f]{64}$")]
    changed: Annotated[str, Meta(description="What changed in this version, in words.")]
    url: str


class CollectedTold(_Told, frozen=True):
    """One thing that is kept of a person."""

    what: str
    purpose: Literal["administration", "identification"]
    how: str


class LifetimeTold(_Told, frozen=True):
    """How long something stays."""

    what: str
    until: str


class ReceiverTold(_Told, frozen=True):
    """Somebody who must carry something for the controller."""

    who: str
    what_for: str
    sees: str


class Told(_Told, frozen=True, kw_only=True):
    """The whole document."""

    schema: Literal["privacy-promises/1"] = VERSION
    schema_url: str
    controller: str
    contact: str
    policy: PolicyTold
    verified_at: Annotated[datetime | None, Meta(description="When the last proof ended.")]
    fresh_until: Annotated[
        datetime | None, Meta(description="After this nothing here may be taken for kept, whatever it says.")
    ]
    promises: list[PromiseTold]
    collected: list[CollectedTold]
    kept_for: list[LifetimeTold]
    receivers: list[ReceiverTold]


def text(told: Told) -> str:
    """The document as JSON."""
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode()


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document."""
    (found,), parts = msgspec.json.schema_components([Told], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Privacy promises, with how each stands",
        **found,
        "$defs": parts,
    }


def schema_text() -> str:
    """The same as it is served and printed."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"

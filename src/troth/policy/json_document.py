"""`/.well-known/privacy-promises.json`: the machine-readable policy. The served schema, and
docs/privacy-promises.schema.json, are generated from the structs below. The front imports it."""

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
    """One test of a promise."""

    id: str
    state: StateName
    tried: Annotated[str, Meta(description="How the promise is tested, in words.")]
    sees: Annotated[str, Meta(description="The breach that this test would detect.")]
    detail: Annotated[str, Meta(description="The result; empty until the first test.")] = ""
    at: Annotated[datetime | None, Meta(description="Time of the last test.")] = None


class PromiseTold(_Told, frozen=True, kw_only=True):
    """One promise. `kept`: tested at that time, in these ways, and not refuted."""

    id: str
    means: str
    state: StateName
    verified_at: Annotated[datetime | None, Meta(description="Time of its oldest test.")]
    proofs: list[ProofTold]
    breaches_seen: Annotated[
        list[str], Meta(description="Breaches made on purpose, in a copy of the program, that the tests detected.")
    ] = []
    yourself: Annotated[str, Meta(description="How you can check for yourself.")] = ""


class PolicyTold(_Told, frozen=True):
    """The version in force."""

    version: int
    in_force_since: datetime
    sha256: Annotated[str, Meta(description="Hash of the text as UTF-8, hexadecimal.", pattern="^[0-9a-f]{64}$")]
    changed: Annotated[str, Meta(description="What changed in this version.")]
    url: str


class CollectedTold(_Told, frozen=True):
    """One kind of personal data that is stored."""

    what: str
    purpose: Literal["administration", "identification"]
    how: str


class LifetimeTold(_Told, frozen=True):
    """How long something is kept."""

    what: str
    until: str


class ReceiverTold(_Told, frozen=True):
    """A processor of the controller."""

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
    verified_at: Annotated[datetime | None, Meta(description="Time of the last test.")]
    fresh_until: Annotated[
        datetime | None, Meta(description="After this time no promise here counts as kept, whatever its state.")
    ]
    promises: list[PromiseTold]
    collected: list[CollectedTold]
    kept_for: list[LifetimeTold]
    receivers: list[ReceiverTold]


def text(document: Told) -> str:
    """Return the document as JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode()


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the document."""
    (root,), parts = msgspec.json.schema_components([Told], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Privacy promises and their state",
        **root,
        "$defs": parts,
    }


def schema_text() -> str:
    """Return the schema as it is served and printed."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"

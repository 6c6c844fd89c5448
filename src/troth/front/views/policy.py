"""The policy's page, its versions, and the same for programs, as the worker made them; only their age is judged here,
so that a worker that is silent cannot leave a mark standing."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from troth.core import clock
from troth.front import responses
from troth.front.request_context import visit
from troth.front.snapshot import POLICY_STYLE, Snapshot
from troth.policy import json_document
from troth.policy.published import PrivacyPage

_SHORTLY = "public, max-age=60"
_FOR_PROGRAMS = {
    "cache-control": _SHORTLY,
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}
"""Anybody's program may read what is told to everybody."""
_SCHEMA = json_document.schema_text()
_NONE_YET = "The privacy policy has not been published yet."


def is_fresh(page: PrivacyPage) -> bool:
    """Whether what the worker said last still stands. A clock that was put back makes nothing fresh."""
    return page.since_ms <= clock.timestamp_ms() < page.until_ms


def _page(request: Request) -> tuple[Snapshot, PrivacyPage | None]:
    snapshot = visit(request).snapshot
    return snapshot, snapshot.published.privacy


async def show(request: Request) -> Response:
    """Answer GET with the policy in force and each promise's state. `?embed`: for a page of the vendor's."""
    snapshot, page = _page(request)
    if page is None:
        return responses.error(request, snapshot, 404, _NONE_YET)
    if request.scope["troth_embed"]:
        text = page.fresh_embed if is_fresh(page) else page.stale_embed
        return HTMLResponse(f'<div class="troth-policy">\n{text}</div>\n')
    return responses.privacy(snapshot, page.fresh if is_fresh(page) else page.stale)


async def versions(request: Request) -> Response:
    """Answer GET with every version with its date, its digest, and what changed."""
    snapshot, page = _page(request)
    if page is None:
        return responses.error(request, snapshot, 404, _NONE_YET)
    rows = [(version, datetime.fromisoformat(version.at).astimezone(UTC)) for version in page.versions]
    return responses.of(snapshot, "versions.html", rows=rows)


async def version(request: Request) -> Response:
    """Answer GET with an earlier version, whole, as it was."""
    snapshot, page = _page(request)
    number = request.path_params["number"]
    match = (
        next((version for version in page.versions if version.number == number and version.html), None)
        if page
        else None
    )
    if match is None:
        return responses.error(request, snapshot, 404, "This version is not available.")
    return responses.of(snapshot, "version.html", version=match, since=datetime.fromisoformat(match.at).astimezone(UTC))


async def promises(request: Request) -> Response:
    """Answer GET with the policy as JSON, for programs."""
    _, page = _page(request)
    if page is None:
        return PlainTextResponse("{}", 404, media_type="application/json", headers=_FOR_PROGRAMS)
    text = page.fresh_json if is_fresh(page) else page.stale_json
    return PlainTextResponse(text, media_type="application/json", headers=_FOR_PROGRAMS)


async def schema(request: Request) -> Response:
    """Answer GET with the JSON Schema of it."""
    return PlainTextResponse(_SCHEMA, media_type="application/schema+json", headers=_FOR_PROGRAMS)


async def gpc(request: Request) -> Response:
    """Answer GET with: Global Privacy Control is honoured (W3C, section 4.1), as the policy in force says."""
    _, page = _page(request)
    if page is None:
        return PlainTextResponse("{}", 404, media_type="application/json", headers=_FOR_PROGRAMS)
    text = f'{{"gpc": true, "lastUpdate": "{page.stated}"}}'
    return PlainTextResponse(text, media_type="application/json", headers=_FOR_PROGRAMS)


async def security(request: Request) -> Response:
    """Answer GET with whom to tell of a hole (RFC 9116)."""
    text = visit(request).snapshot.published.security
    return PlainTextResponse(text, 200 if text else 404, headers={"cache-control": _SHORTLY})


async def style(request: Request) -> Response:
    """Answer GET with the policy's style sheet for a page of the vendor's, colours by variables."""
    return responses.lasting(request, POLICY_STYLE)

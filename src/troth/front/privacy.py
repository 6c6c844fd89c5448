"""The policy's page, and the same for programs. What it says was made by the worker; only its age is judged here.

Touches nothing.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from troth.front import pages
from troth.front.published import PrivacyPage
from troth.front.visit import visit
from troth.ground import clock

_CACHE = "public, max-age=60"


def _is_fresh(page: PrivacyPage) -> bool:
    return clock.timestamp_ms() < page.until_ms


async def show(request: Request) -> Response:
    """GET: the policy in force, each sentence with how its promise stands."""
    snapshot = visit(request).snapshot
    page = snapshot.published.privacy
    if page is None:
        return pages.error(request, snapshot, 404, "The policy is not published here yet.")
    return pages.privacy(snapshot, page.fresh if _is_fresh(page) else page.stale)


async def promises(request: Request) -> Response:
    """GET: the same as JSON, for programs."""
    page = visit(request).snapshot.published.privacy
    if page is None:
        return PlainTextResponse("{}", 404, media_type="application/json")
    told = page.fresh_json if _is_fresh(page) else page.stale_json
    return PlainTextResponse(
        told, media_type="application/json", headers={"cache-control": _CACHE, "access-control-allow-origin": "*"}
    )


async def gpc(request: Request) -> Response:
    """GET: that Global Privacy Control is honoured (W3C, section 4.1)."""
    return PlainTextResponse('{"gpc": true, "lastUpdate": "2026-11-25"}', media_type="application/json")

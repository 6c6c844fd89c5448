"""The newsletter's archive, its feed, and the pictures of campaigns: files that the worker made, for everybody to read.

May touch: `public/archive/` and `public/images/`, by names that are hashes.
"""

from datetime import datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from troth.front import responses
from troth.front.http.headers import FOR_EVER
from troth.front.request_context import visit
from troth.newsletter.published import IMAGE_NAME, MEDIA_TYPES, ArchivedCampaign, image_path, page_path

_SHORTLY = "public, max-age=600"
_FOR_READERS = {"cache-control": _SHORTLY, "access-control-allow-origin": "*"}
_FOR_MAIL = {"cache-control": FOR_EVER, "cross-origin-resource-policy": "cross-origin"}
"""Mail programs on the web show pictures on pages of their own."""


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


async def index(request: Request) -> Response:
    """Answer GET with all issues, newest first."""
    snapshot = visit(request).snapshot
    archive = snapshot.published.archive
    campaigns = archive.campaigns if archive else []
    answer = responses.of(snapshot, "archive.html", rows=[(campaign, _day(campaign)) for campaign in campaigns])
    answer.headers["cache-control"] = _SHORTLY
    return answer


async def issue(request: Request) -> Response:
    """Answer GET with one issue."""
    context, slug = visit(request), request.path_params["slug"]
    archive = context.snapshot.published.archive
    campaign = next((campaign for campaign in archive.campaigns if campaign.slug == slug), None) if archive else None
    text = _read(page_path(context.public, campaign.page)) if campaign else None
    if campaign is None or text is None:
        return responses.error(request, context.snapshot, 404, "This issue is not in the archive.")
    answer = responses.of(
        context.snapshot, "issue.html", campaign=campaign, day=_day(campaign), text=text.decode("utf-8")
    )
    answer.headers["cache-control"] = _SHORTLY
    return answer


def _day(campaign: ArchivedCampaign) -> datetime:
    return datetime.fromisoformat(campaign.at)


async def feed(request: Request) -> Response:
    """Answer GET with the newest issues as RSS."""
    context = visit(request)
    archive = context.snapshot.published.archive
    data = _read(page_path(context.public, archive.feed)) if archive else None
    if data is None:
        return responses.error(request, context.snapshot, 404, "There is no feed yet.")
    return Response(data, media_type="application/rss+xml", headers=_FOR_READERS)


async def image(request: Request) -> Response:
    """Answer GET with a picture of a campaign, the same for every recipient."""
    context, name = visit(request), request.path_params["name"]
    match = IMAGE_NAME.fullmatch(name)
    data = _read(image_path(context.public, name)) if match else None
    if match is None or data is None:
        return responses.error(request, context.snapshot, 404, "There is no image at this address.")
    return Response(data, media_type=MEDIA_TYPES[match["ending"]], headers=_FOR_MAIL)

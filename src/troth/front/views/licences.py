"""The signed list of revoked licences, for programs that check one. It names nobody. May touch: that one file, which
the worker published."""

from starlette.requests import Request
from starlette.responses import Response

from troth.front import responses
from troth.front.request_context import visit
from troth.shop.licences.revocation_path import path

_FOR_PROGRAMS = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
"""Programs in a browser may read it, too: it is the same for everybody, and asked for without credentials."""


async def revoked(request: Request) -> Response:
    """Answer GET with the list."""
    context = visit(request)
    try:
        data = path(context.public).read_bytes()
    except FileNotFoundError:
        return responses.error(request, context.snapshot, 404, "No licence has been revoked yet.")
    return Response(data, media_type="application/json", headers=_FOR_PROGRAMS)

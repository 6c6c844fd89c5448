"""The pages behind signed links. A GET shows a button and changes nothing; a POST goes sealed to the clerk.

The signature is checked here for the visitor's convenience; the worker checks again and decides (WALL 1). The link is
the permission: there is no cookie to ride on, and no token bucket, as a mail company's one-click requests (RFC 8058)
come for many people from few addresses. Touches the clerk's line only.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from troth.core import clock
from troth.core.entry import Entry
from troth.core.signed_links import Act, Link, LinkExpired, LinkRefused
from troth.front import responses
from troth.front.channels.clerk_client import AlreadySpent, ClerkBusy, ClerkGone
from troth.front.http.form_parsing import FormRefused, check_type, parse
from troth.front.http.log import LogEvent, tell
from troth.front.request_context import body, require_private, visit
from troth.newsletter.entry import LinkUsed

_REPEAT_SECONDS = 60
"""A link pressed again within this time is taken as the same press: a replay cannot fill the spool."""

type View = Callable[[Request], Awaitable[Response]]


def shown(act: Act, template: str) -> View:
    """Return the view for GET."""

    async def show(request: Request) -> Response:
        require_private(request)
        verified(request, act)
        return responses.link(visit(request).snapshot, template)

    return show


async def confirm(request: Request) -> Response:
    """Answer POST from the button of the confirmation page."""
    require_private(request)
    sent = await body(request)
    if sent:
        check_type(
            request.headers.get("content-type", "").encode(), request.headers.get("content-encoding", "").encode()
        )
        parse(sent, frozenset())
    return await _used(request, Act.CONFIRM, "confirmed")


async def unsubscribe(request: Request) -> Response:
    """POST from the button, or from a mail program (RFC 8058, section 3.2: urlencoded or multipart, no cookies). The
    body is read, limited and dropped: whoever holds the link may leave."""
    require_private(request)
    await body(request)
    return await _used(request, Act.UNSUBSCRIBE, "left")


async def _used(request: Request, act: Act, thanks: str) -> Response:
    text, _ = verified(request, act)
    refused = await pressed(request, LinkUsed(act=act, link=text), text)
    return refused or responses.go(visit(request).snapshot.path(f"thanks/{thanks}"))


def verified(request: Request, act: Act) -> tuple[str, Link]:
    """Return the link in the address, as text and as what it says. Raises `FormRefused` (400, 410)."""
    text: str = request.path_params["link"]
    try:
        link = visit(request).snapshot.links.verify(text, act)
    except LinkExpired as expired:
        raise FormRefused(410, "", mend=expired.mend) from None  # its heading says it
    except LinkRefused as refused:
        raise FormRefused(400, "", heading=str(refused).rstrip("."), mend=refused.mend) from None
    return text, link


async def pressed(request: Request, entry: Entry, mark: str | None) -> Response | None:
    """Hand over what somebody pressed; None once it is on the disk, else the page that says that it is not.

    The same `mark` within a minute is the same press; without one, each counts.
    """
    context = visit(request)
    until = int(clock.now().timestamp()) + _REPEAT_SECONDS if mark is not None else 0
    once = sha256(mark.encode()).digest()[:16] if mark is not None else None
    try:
        await context.line.hand(entry.kind, context.snapshot.sealing.seal(entry), once=once, until=until)
    except AlreadySpent:
        pass  # this very press is on the disk already
    except ClerkBusy as busy:
        tell(LogEvent.CLERK_BUSY)
        return _later(request, busy.retry_after)
    except ClerkGone as error:
        tell(LogEvent.CLERK_GONE)
        return _later(request, error.retry_after)
    return None


def _later(request: Request, seconds: int) -> Response:
    message, mend = "We couldn’t save this right now.", "Please go back and press the button again in a minute."
    answer = responses.error(request, visit(request).snapshot, 503, message, mend)
    answer.headers["retry-after"] = str(seconds)
    return answer

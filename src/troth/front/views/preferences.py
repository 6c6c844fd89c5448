"""The pages behind the link to a subscriber's preferences: topics, a pause, the way out. A GET changes nothing.

All that it shows is what the site offers to everybody and what the link itself carries: who holds the link, such as
somebody to whom an issue was forwarded, learns nothing of the person. A POST goes sealed to the clerk; the worker
checks the link again and decides (WALL 1). Touches the clerk's line only.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from troth.core.signed_links import MAX_TOPICS, Act
from troth.front import responses
from troth.front.forms.form import TOPIC_FIELDS, ticked
from troth.front.http.form_parsing import FormRefused, check_type, parse
from troth.front.request_context import body, require_private, visit
from troth.front.views.form_submission import slow_down
from troth.front.views.links import pressed, verified
from troth.newsletter.entry import PAUSE_AS_IT_IS, PAUSES, PreferencesSet

_SAVE, _LEAVE = "save", "leave"
_FIELDS = frozenset({"wish", "seen", "pause", *TOPIC_FIELDS})
_BITMAP = re.compile(r"[0-9a-f]{1,16}")
"""As a page carries it: hexadecimal."""
_PAUSES = {str(months): months for months in PAUSES}


async def show(request: Request) -> Response:
    """Answer GET with the choices as they were when the link was made."""
    require_private(request)
    text, link = verified(request, Act.PREFERENCES)
    return _page(request, text, link.topics, saved=False)


async def saved(request: Request) -> Response:
    """GET: the choices as they were sent just now. The address says which: it is the visitor's own, and shows nothing
    else."""
    require_private(request)
    text, _ = verified(request, Act.PREFERENCES)
    return _page(request, text, _bitmap(request.path_params["topics"]), saved=True)


def _page(request: Request, text: str, chosen: int, *, saved: bool) -> Response:
    snapshot = visit(request).snapshot
    offered = snapshot.published.form.topics
    boxes = sum(1 << topic.number for topic in offered if topic.is_in(chosen))
    address = snapshot.path(f"preferences/{text}")
    return responses.link(
        snapshot, "preferences.html", here=address, topics=offered, ticked=boxes, seen=f"{boxes:x}", saved=saved
    )


async def topic(request: Request) -> Response:
    """Answer GET with the page that stops one topic. It names a topic that everybody may know, and no other."""
    require_private(request)
    verified(request, Act.PREFERENCES)
    number, snapshot = _number(request), visit(request).snapshot
    name = next((offered.name for offered in snapshot.published.form.topics if offered.number == number), "")
    return responses.link(snapshot, "topic.html", topic=name, preferences=_address(request))


async def stop(request: Request) -> Response:
    """Answer POST from that page's button: whoever holds the link may drop a topic."""
    require_private(request)
    text, link = verified(request, Act.PREFERENCES)
    number, sent = _number(request), await body(request)
    left = link.topics & ~(1 << number)
    if sent:
        check_type(
            request.headers.get("content-type", "").encode(), request.headers.get("content-encoding", "").encode()
        )
        parse(sent, frozenset())
    return await _chosen(request, PreferencesSet(text, 1 << number, 0), left)


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if number >= MAX_TOPICS:
        raise FormRefused(404, "There is no page at this address.", mend="Copy the whole link from the email.")
    return number


def _address(request: Request) -> str:
    return visit(request).snapshot.path(f"preferences/{request.path_params['link']}")


async def use(request: Request) -> Response:
    """Answer POST from one of the two buttons."""
    require_private(request)
    text, _ = verified(request, Act.PREFERENCES)
    check_type(request.headers.get("content-type", "").encode(), request.headers.get("content-encoding", "").encode())
    typed = parse(await body(request), _FIELDS)
    wish = typed.get("wish", "")
    if wish == _LEAVE:
        return await _leave(request, text)
    if wish != _SAVE:
        raise _not_ours()
    return await _save(request, text, typed)


async def _leave(request: Request, text: str) -> Response:
    """Never slowed down: whoever holds the link may leave."""
    refused = await pressed(request, PreferencesSet(text, 0, 0, leave=True), f"leave {text}")
    return refused or responses.go(visit(request).snapshot.path("thanks/left"))


async def _save(request: Request, text: str, typed: dict[str, str]) -> Response:
    pause = _PAUSES.get(typed.get("pause") or str(PAUSE_AS_IT_IS))
    if pause is None:
        raise _not_ours()
    before, chosen = _bitmap(typed.get("seen", "")), ticked(typed)
    return await _chosen(request, PreferencesSet(text, before, chosen, pause), chosen)


async def _chosen(request: Request, entry: PreferencesSet, topics: int) -> Response:
    """Hand over what was chosen, and go on to the page that says so with these topics."""
    context = visit(request)
    wait = context.buckets.take(context.caller.bucket)
    if wait:
        return slow_down(request, context.snapshot, wait)
    # No mark: to choose, to think better of it and to choose again within a minute are three presses, and each counts.
    refused = await pressed(request, entry, None)
    return refused or responses.go(f"{_address(request)}/saved/{topics:x}")


def _bitmap(text: str) -> int:
    if not _BITMAP.fullmatch(text):
        raise _not_ours()
    return int(text, 16)


def _not_ours() -> FormRefused:
    return FormRefused(
        400,
        "This request is not one of the page’s buttons.",
        mend="Open the link in the email again and use one of the buttons.",
    )

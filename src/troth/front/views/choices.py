"""`/privacy/choices`: what a visitor may choose, by one click and without a login; and what their browser says already.
The choice is a cookie with one value, the same for everybody; pressing the other button takes it away. Only a page of
ours may do either, so the page sends its referrer to itself."""

from collections.abc import Iterable
from hmac import compare_digest
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from troth.core import facts
from troth.front import responses
from troth.front.http.form_parsing import FormRefused, check_type, parse
from troth.front.request_context import body, visit

_COOKIE, _VALUE = "troth-count", "no"
_WANTED = f"{_COOKIE}={_VALUE}".encode()
_SECONDS = facts.CHOICE_DAYS * 24 * 3600
_LONGEST = 128


class Choices(NamedTuple):
    """What came with a request. True: whoever asks is not counted."""

    signal: bool
    """Global Privacy Control: `Sec-GPC: 1`."""
    own: bool
    """The choice that was made here."""


def told(headers: Iterable[tuple[bytes, bytes]]) -> Choices:
    """Return the choices in a request's headers (names in lower case)."""
    signal = own = False
    for name, value in headers:
        if name == b"sec-gpc":
            signal = signal or value.strip() == b"1"
        elif name == b"cookie":
            own = own or any(part.strip() == _WANTED for part in value.split(b";"))
    return Choices(signal, own)


async def show(request: Request) -> Response:
    """Answer GET with what is chosen, and the button that changes it."""
    context = visit(request)
    counts = context.snapshot.published.audience is not None
    answer = responses.of(
        context.snapshot,
        "choices.html",
        chosen=request.scope["troth_choices"],
        counts=counts,
        ticket=context.snapshot.ticket(context.caller),
        facts=facts,
        elsewhere=facts.not_everywhere(context.snapshot.apart),
        host=context.snapshot.host,
        hosts=", ".join(sorted(context.snapshot.hosts)),
    )
    answer.headers["referrer-policy"] = "same-origin"
    return answer


async def choose(request: Request) -> Response:
    """Answer POST (`count=no` or `count=yes`) with 303 back to the page."""
    check_type(request.headers.get("content-type", "").encode(), b"")
    sent = parse(await body(request, _LONGEST), {"count", "ticket"})
    choice, snapshot = sent.get("count"), visit(request).snapshot
    _check_whence(request, sent)
    answer = responses.go(snapshot.path("privacy/choices"))
    secure = snapshot.published.url.startswith("https:")
    # From a page of another site a browser brings it only so, if at all (RFC 6265bis, section 5.6.7.1).
    crosses = secure and bool(snapshot.apart)
    same: dict[str, object] = {"secure": secure, "httponly": True, "samesite": "none" if crosses else "lax"}
    path = snapshot.prefix or "/"
    if choice == _VALUE:
        answer.set_cookie(_COOKIE, _VALUE, max_age=_SECONDS, path=path, **same)  # type: ignore[arg-type]
    else:
        answer.delete_cookie(_COOKIE, path=path, **same)  # type: ignore[arg-type]
    return answer


def _check_whence(request: Request, sent: dict[str, str]) -> None:
    """Raises `FormRefused` where a page of another site sends it. Where a browser is too old to say, the form's ticket
    does; and not to be counted may be asked for without one."""
    context, ours = visit(request), request.scope["troth_ours"]
    if ours is None:
        ours = sent.get("count") == _VALUE or compare_digest(
            sent.get("ticket", ""), context.snapshot.ticket(context.caller)
        )
    if not ours:
        raise FormRefused(
            403,
            "This request did not come from the page “Your choices”, so nothing was changed.",
            mend=f"Open {context.snapshot.published.url}/privacy/choices and choose there.",
        )

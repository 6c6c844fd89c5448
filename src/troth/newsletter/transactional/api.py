"""`POST /api/mail` and `GET /api/mail/ID`: an operator's own program sends a transactional email. In the office, which
knows people; the front never learns who is known (WALL 1).

The token has the scope `mail`; one for the statistics is refused. Errors are problem details (RFC 9457) without a value
that came in. `Idempotency-Key` is the header of draft-ietf-httpapi-idempotency-key-header. Nothing of a request is
logged.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from troth.audience.api.requests import HEADERS, Pace, authorised, bearer, problem
from troth.audience.api.tokens import Scope
from troth.newsletter.transactional import orders
from troth.newsletter.transactional.orders import NobodyKnown, Order, OrderRefused, Sender, Taken, TooMany
from troth.vault import codec

PATH = "/api/mail"
LARGEST = 32 * 1024
"""Bytes of a request."""
KEY = re.compile(r"[!-~]{1,100}")
"""What an idempotency key is."""
EXAMPLE = {"template": "receipt", "to": "ada@example.com", "data": {"number": "4711"}}
"""A request, for errors and for the API's description."""
_SHAPE = f"Send JSON such as {json.dumps(EXAMPLE)}."
_WAIT = 3600
_decoder = msgspec.json.Decoder(Order, dec_hook=codec.personal)


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate limits of a token, by its hash."""

    take: Pace
    missed: Callable[[bytes], None]
    """Told of a recipient who is not known: many of these are somebody who tries addresses."""


def is_mail(path: str) -> bool:
    """Return whether this API answers the path."""
    return path == PATH or path.startswith(f"{PATH}/")


def answer(request: HttpRequest, limits: Limits) -> HttpResponse:
    """Return the response to any request below `/api/mail`."""
    try:
        response = _answer(request, limits)
    except OrderRefused as refused:
        response = _refusal(refused)
    except (OperationalError, InterfaceError):
        response = problem(503, "The database is not available.", "Try again in a moment.", wait=10)
    for name, value in HEADERS.items():
        response.setdefault(name, value)
    return response


def _refusal(refused: OrderRefused) -> HttpResponse:
    if isinstance(refused, TooMany):
        return problem(429, str(refused), refused.mend, wait=_WAIT)
    status = 404 if isinstance(refused, NobodyKnown) else 422
    return problem(status, str(refused), refused.mend, parameter=refused.field)


def _answer(request: HttpRequest, limits: Limits) -> HttpResponse:
    posts = request.path == PATH
    if request.method != ("POST" if posts else "GET"):
        response = problem(405, "This method is not allowed here.", f"POST to {PATH}, GET {PATH}/ID.")
        response["Allow"] = "POST" if posts else "GET"
        return response
    token = authorised(request, limits.take, Scope.MAIL)
    if isinstance(token, HttpResponse):
        return token
    if not posts:
        return _state(token.id, request.path.removeprefix(f"{PATH}/"))
    try:
        return _post(request, Sender(token.id, bearer(request).encode()))
    except NobodyKnown:
        limits.missed(bytes(token.digest))
        raise


def _state(token: uuid.UUID, ident: str) -> HttpResponse:
    try:
        email = orders.told(token, uuid.UUID(ident))
    except ValueError:
        email = None
    if email is None:
        return problem(404, "This token sent no such email.", "Emails are forgotten after 30 days.")
    return _told(email, 200)


def _post(request: HttpRequest, sender: Sender) -> HttpResponse:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise OrderRefused(
            "This is no idempotency key.", mend="Send 1 to 100 visible ASCII characters.", field="Idempotency-Key"
        )
    if request.content_type != "application/json":
        return problem(415, "The request is not JSON.", "Send Content-Type: application/json.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return _too_large()
    try:
        order = _decoder.decode(request.body)
    except RequestDataTooBig:
        return _too_large()
    except (msgspec.DecodeError, UnicodeError):  # their words may quote what was sent
        return problem(400, "The request does not have the fields it needs.", _SHAPE)
    return _told(orders.take(sender, order, key or ""), 202)


def _too_large() -> HttpResponse:
    return problem(413, f"The request is larger than {LARGEST // 1024} KiB.", "Send less data.")


def _told(email: Taken, status: int) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(email), status=status, content_type="application/json")
    if status == 202:
        response["Location"] = f"{settings.TROTH_CONFIG.office.url.rstrip('/')}{PATH}/{email.id}"
    return response

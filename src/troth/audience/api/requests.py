"""What the APIs of the admin server share: the token in the header, its rate limit, and errors as problem details (RFC
9457), without a value that came in. No session or cookie, so that a page of another origin cannot read an answer."""

from collections.abc import Callable
from http import HTTPStatus
from math import ceil

import msgspec
from django.http import HttpRequest, HttpResponse

from troth.audience.api import tokens
from troth.audience.api.tokens import Scope
from troth.audience.models import ApiToken

STRANGERS = b"strangers"
"""The key of the shared rate limit for requests without a valid token."""
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Vary": "Authorization",
}
type Pace = Callable[[bytes], float]
"""Takes one request from a token's rate limit: 0.0, or the seconds to wait."""


class RequestProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457). `type` is `about:blank`: the status says what kind of error it is."""

    title: str
    """The status in words."""
    status: int
    detail: str
    """What is wrong. Never repeats a value that you sent."""
    mend: str = ""
    """How to fix it."""
    parameter: str = ""
    """The parameter at fault."""


def bearer(request: HttpRequest) -> str:
    """Return the token in the `Authorization` header; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authorised(request: HttpRequest, pace: Pace, scope: Scope) -> ApiToken | HttpResponse:
    """Return the request's token; or the error where it is not valid, is for another scope, or its rate limit is used
    up."""
    token = bearer(request)
    row = tokens.known(token)
    wait = pace(bytes(row.digest) if row else STRANGERS)
    if wait:
        return too_many("Too many requests.", wait)
    if row is None:
        response = problem(
            401,
            "The token is not valid." if token else "The token is missing.",
            "Send `Authorization: Bearer troth_...`. Owners create tokens in Admin under API tokens.",
        )
        response["WWW-Authenticate"] = f'Bearer realm="{scope.value}"'
        return response
    if row.scope != scope:
        return problem(403, "This token is for something else.", "Create one for this in Admin under API tokens.")
    return row


def too_many(detail: str, wait: float) -> HttpResponse:
    """Return an error that says how many seconds to wait."""
    return problem(429, detail, "Wait as long as `Retry-After` says.", wait=ceil(wait))


def problem(status: int, detail: str, mend: str, *, parameter: str = "", wait: int = 0) -> HttpResponse:
    """Return an error. `wait`: the seconds after which a new attempt may succeed."""
    error = RequestProblem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, mend=mend, parameter=parameter
    )
    response = HttpResponse(msgspec.json.encode(error), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    if wait:
        response["Retry-After"] = str(wait)
    return response

"""Answers the API's requests in the office: checks the token in the header, then returns JSON or CSV. No session or
cookie, so that a page of another origin cannot read its answers. Errors are problem details (RFC 9457) without a value
that came in. The OpenAPI document needs no token."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from math import ceil

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from troth.audience.api import endpoints, openapi, tokens
from troth.audience.api.endpoints import BadParameter, Endpoint
from troth.audience.queries.answers import NotAnswered

PREFIX = "/api/"
DOCUMENT = f"{endpoints.BASE}/openapi.json"
STRANGERS = b"strangers"
"""The key of the shared rate limit for requests without a valid token."""
_READS = ("GET", "HEAD")
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Vary": "Authorization",
}
type Pace = Callable[[bytes], float]
"""Takes one request from a token's rate limit: 0.0, or the seconds to wait."""


def answer(request: HttpRequest, pace: Pace) -> HttpResponse:
    """Return the response to any request."""
    try:
        response = _answer(request, pace)
    except BadParameter as refused:
        response = _problem(400, str(refused), refused.mend, parameter=refused.field)
    except NotAnswered as refused:
        response = _problem(422, str(refused), refused.mend, parameter=refused.field)
    except (OperationalError, InterfaceError):
        response = _problem(503, "The database is not available.", "Try again in a moment.", wait=10)
    for name, value in _HEADERS.items():
        response.setdefault(name, value)
    return response


def _answer(request: HttpRequest, pace: Pace) -> HttpResponse:
    match = endpoints.find(request.path)
    if match is None and request.path != DOCUMENT:
        return _problem(404, "There is no such endpoint.", f"{DOCUMENT} lists the endpoints.")
    if request.method not in _READS:
        refused = _problem(405, "The API is read-only.", "Use GET.")
        refused["Allow"] = ", ".join(_READS)
        return refused
    if match is None:
        office = settings.TROTH_CONFIG.office.url.rstrip("/")
        document = openapi.document(settings.TROTH_CONFIG.site.name, office)
        return _sent(request, msgspec.json.encode(document), "application/json")
    return _refused(request, pace) or _answered(request, *match)


def _refused(request: HttpRequest, pace: Pace) -> HttpResponse | None:
    """Return the error response where the token is not valid or its rate limit is used up; None otherwise."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token_hash = tokens.known(token.strip()) if scheme.lower() == "bearer" else None
    wait = pace(token_hash or STRANGERS)
    if wait:
        return _problem(429, "Too many requests.", "Wait as long as `Retry-After` says.", wait=ceil(wait))
    if token_hash is not None:
        return None
    response = _problem(
        401,
        "The token is missing." if not token else "The token is not valid.",
        "Send `Authorization: Bearer troth_...`. Owners create tokens in Admin under API tokens.",
    )
    response["WWW-Authenticate"] = 'Bearer realm="statistics"'
    return response


def _answered(request: HttpRequest, endpoint: Endpoint, in_path: Mapping[str, str]) -> HttpResponse:
    parameters = endpoints.read(endpoint, in_path, {name: request.GET.getlist(name) for name in request.GET})
    result = endpoint.ask(parameters)
    if parameters.format == "csv":
        response = _sent(request, endpoints.as_csv(endpoint, result), "text/csv; charset=utf-8; header=present")
        response["Content-Disposition"] = 'attachment; filename="statistics.csv"'
        return response
    return _sent(request, msgspec.json.encode(result), "application/json")


def _sent(request: HttpRequest, body: bytes, kind: str) -> HttpResponse:
    """Return the body, or 304 where the caller has it (RFC 9110, section 13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    known_tags = {value.strip().removeprefix("W/") for value in request.headers.get("If-None-Match", "").split(",")}
    if tag in known_tags or "*" in known_tags:
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(body, content_type=kind, headers={"ETag": tag})


def _problem(status: int, detail: str, mend: str, *, parameter: str = "", wait: int = 0) -> HttpResponse:
    problem = openapi.Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, mend=mend, parameter=parameter
    )
    response = HttpResponse(msgspec.json.encode(problem), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    if wait:
        response["Retry-After"] = str(wait)
    return response

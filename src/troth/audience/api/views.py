"""The API at its door, in the office: a token in the header, then one question, then JSON or CSV.

No session, no cookie, no other origin: it stands before the middleware that knows those, and a browser's page of
another site gets no answer that it could read. What is refused says why as problem details (RFC 9457), never with a
value that came in. The document of the API is told to anybody who reaches the office: it holds no figure.
"""

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
"""Whose pace it is where no token is known: of all of them together, and never of one that works."""
_READS = ("GET", "HEAD")
_STANDING = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Vary": "Authorization",
}
type Pace = Callable[[bytes], float]
"""Takes one ticket of a token: 0.0, or the seconds until there will be one."""


def answer(request: HttpRequest, pace: Pace) -> HttpResponse:
    """What this request gets, whatever it is."""
    try:
        made = _answer(request, pace)
    except BadParameter as refused:
        made = _problem(400, str(refused), refused.mend, parameter=refused.field)
    except NotAnswered as refused:
        made = _problem(422, str(refused), refused.mend, parameter=refused.field)
    except (OperationalError, InterfaceError):
        made = _problem(503, "The database does not answer just now.", "Try again in a moment.", wait=10)
    for name, value in _STANDING.items():
        made.setdefault(name, value)
    return made


def _answer(request: HttpRequest, pace: Pace) -> HttpResponse:
    found = endpoints.find(request.path)
    if found is None and request.path != DOCUMENT:
        return _problem(404, "There is nothing at this address.", f"What there is says {DOCUMENT}.")
    if request.method not in _READS:
        refused = _problem(405, "Statistics are read only.", "Ask with GET.")
        refused["Allow"] = ", ".join(_READS)
        return refused
    if found is None:
        office = settings.TROTH_CONFIG.office.url.rstrip("/")
        told = openapi.document(settings.TROTH_CONFIG.site.name, office)
        return _sent(request, msgspec.json.encode(told), "application/json")
    return _refused(request, pace) or _told(request, *found)


def _refused(request: HttpRequest, pace: Pace) -> HttpResponse | None:
    """Why the token that came opens nothing; None where it does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    who = tokens.known(token.strip()) if scheme.lower() == "bearer" else None
    wait = pace(who or STRANGERS)
    if wait:
        return _problem(429, "Too many questions in a short time.", "Ask more slowly.", wait=ceil(wait))
    if who is not None:
        return None
    made = _problem(
        401,
        "There is no token, or it does not work." if not token else "This token does not work.",
        "Send `Authorization: Bearer troth_...`; an owner makes tokens in the office.",
    )
    made["WWW-Authenticate"] = 'Bearer realm="statistics"'
    return made


def _told(request: HttpRequest, endpoint: Endpoint, placed: Mapping[str, str]) -> HttpResponse:
    query = endpoints.read(endpoint, placed, {name: request.GET.getlist(name) for name in request.GET})
    found = endpoint.ask(query)
    if query.format == "csv":
        made = _sent(request, endpoints.as_csv(endpoint, found), "text/csv; charset=utf-8; header=present")
        made["Content-Disposition"] = 'attachment; filename="statistics.csv"'
        return made
    return _sent(request, msgspec.json.encode(found), "application/json")


def _sent(request: HttpRequest, body: bytes, kind: str) -> HttpResponse:
    """The body, or that it is the one the caller has (RFC 9110, section 13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    held = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    if tag in held or "*" in held:
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(body, content_type=kind, headers={"ETag": tag})


def _problem(status: int, what: str, mend: str, *, parameter: str = "", wait: int = 0) -> HttpResponse:
    told = openapi.Problem(title=HTTPStatus(status).phrase, status=status, detail=what, mend=mend, parameter=parameter)
    made = HttpResponse(msgspec.json.encode(told), status=status, content_type="application/problem+json")
    made["Cache-Control"] = "no-store"
    if wait:
        made["Retry-After"] = str(wait)
    return made

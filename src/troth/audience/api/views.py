"""Answers the API's requests in the office: checks the token in the header, then returns JSON or CSV. No session or
cookie, so that a page of another origin cannot read its answers. Errors are problem details (RFC 9457) without a value
that came in. The OpenAPI document needs no token."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from troth.audience.api import endpoints, openapi
from troth.audience.api.endpoints import BadParameter, Endpoint
from troth.audience.api.requests import HEADERS, Pace, authorised, problem
from troth.audience.api.tokens import Scope
from troth.audience.queries.answers import NotAnswered

PREFIX = "/api/"
DOCUMENT = f"{endpoints.BASE}/openapi.json"
_READS = ("GET", "HEAD")


def answer(request: HttpRequest, pace: Pace, others: Sequence[openapi.Description] = ()) -> HttpResponse:
    """Return the response to any request. `others`: the APIs that the OpenAPI document describes besides this one."""
    try:
        response = _answer(request, pace, others)
    except BadParameter as refused:
        response = problem(400, str(refused), refused.mend, parameter=refused.field)
    except NotAnswered as refused:
        response = problem(422, str(refused), refused.mend, parameter=refused.field)
    except (OperationalError, InterfaceError):
        response = problem(503, "The database is not available.", "Try again in a moment.", wait=10)
    for name, value in HEADERS.items():
        response.setdefault(name, value)
    return response


def _answer(request: HttpRequest, pace: Pace, others: Sequence[openapi.Description]) -> HttpResponse:
    match = endpoints.find(request.path)
    if match is None and request.path != DOCUMENT:
        return problem(404, "There is no such endpoint.", f"{DOCUMENT} lists the endpoints.")
    if request.method not in _READS:
        response = problem(405, "The API is read-only.", "Use GET.")
        response["Allow"] = ", ".join(_READS)
        return response
    if match is None:
        office = settings.TROTH_CONFIG.office.url.rstrip("/")
        document = openapi.document(settings.TROTH_CONFIG.site.name, office, others)
        return _sent(request, msgspec.json.encode(document), "application/json")
    token = authorised(request, pace, Scope.STATISTICS)
    return token if isinstance(token, HttpResponse) else _answered(request, *match)


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

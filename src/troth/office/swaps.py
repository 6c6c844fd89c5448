"""Let htmx load pages only; the browser downloads files itself. A file that htmx swapped into a page would be parsed as
HTML, and exports hold what visitors typed. `kit/htmx_guard.js` refuses the same in the browser."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

type Handler = Callable[[HttpRequest], HttpResponseBase]

_INERT = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""Content-Security-Policy of files: opened in a browser, they run nothing, load nothing and have no origin."""


def pages_only(get_response: Handler) -> Handler:
    """Redirect an htmx request for a file to a plain request, and set the headers of files."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        by_htmx = "HX-Request" in request.headers
        if by_htmx and _leads_to_sign_in(response):
            return _instead(response, "HX-Refresh", "true")  # the whole page leads there, and back to itself
        if _is_page(response) or response.status_code in {204, 304} or response.has_header("Location"):
            return response
        if not by_htmx:
            return _inert(request, response)
        if request.method == "GET":
            return _instead(response, "HX-Redirect", request.get_full_path())
        return _instead(response, "HX-Refresh", "true")

    return respond


def _is_page(response: HttpResponseBase) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "text/html" and not response.has_header("Content-Disposition")


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    return response.headers.get("Location", "").partition("?")[0] == resolve_url(settings.LOGIN_URL)


def _instead(response: HttpResponseBase, name: str, value: str) -> HttpResponse:
    response.close()
    return HttpResponse(status=204, headers={name: value, "Cache-Control": "no-store"})


def _inert(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not request.path.startswith(str(settings.STATIC_URL)):  # our own styles, scripts and pictures
        response["Content-Security-Policy"] = _INERT
        response["X-Content-Type-Options"] = "nosniff"
    return response

"""The statistics API, in front of sessions and cookies, with a rate limit for each token in this process's memory. It
reads no person: `audience` makes all answers and reaches no vault (V1)."""

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from troth.audience.api import views
from troth.front.http.rate_limit import Buckets

BURST, REFILL = 120, 0.5
"""Requests per token: a burst of 120, four times what a dashboard of thirty panels needs, then one each half second."""
_lock = threading.Lock()
_buckets = Buckets(BURST, REFILL, most=1_000)


def _take(token: bytes) -> float:
    with _lock:  # several threads serve
        return _buckets.take(token)


def door(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer requests below `/api/`; pass on all others."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(views.PREFIX):
            return views.answer(request, _take)
        return get_response(request)

    return respond

"""The APIs for programs, in front of sessions and cookies, with a rate limit for each token in this process's memory.
The statistics know nobody (V1): `audience` makes those answers and reaches no vault. Transactional email goes to one
person who is known: `newsletter` looks for them, through the keeper."""

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from troth.audience.api import views
from troth.front.http.rate_limit import Buckets
from troth.newsletter.transactional import api as mail
from troth.newsletter.transactional import openapi

BURST, REFILL = 120, 0.5
"""Requests per token: a burst of 120, four times what a dashboard of thirty panels needs, then one each half second."""
MISS_COSTS = 10
"""Requests that a recipient costs whom nobody knows: who tries addresses gets a dozen, then one each five seconds."""
_lock = threading.Lock()
_buckets = Buckets(BURST, REFILL, most=1_000)


def _take(token: bytes) -> float:
    with _lock:  # several threads serve
        return _buckets.take(token)


def _missed(token: bytes) -> None:
    for _ in range(MISS_COSTS - 1):
        _take(token)


def door(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer requests below `/api/`; pass on all others."""
    limits = mail.Limits(_take, _missed)
    others = (openapi.description(),)

    def respond(request: HttpRequest) -> HttpResponseBase:
        if mail.is_mail(request.path):
            return mail.answer(request, limits)
        if request.path.startswith(views.PREFIX):
            return views.answer(request, _take, others)
        return get_response(request)

    return respond

"""The API before everything that knows sessions and cookies, and how fast one token may ask. In memory of this process.

Reads no person: all that it answers is made in `audience`, which reaches no vault (V1).
"""

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from troth.audience.api import views
from troth.front.http.rate_limit import Buckets

BURST, REFILL = 120, 0.5
"""Questions of one token at once; then one each half second. A dashboard of thirty panels may ask four times over."""
_lock = threading.Lock()
_buckets = Buckets(BURST, REFILL, most=1_000)


def _take(who: bytes) -> float:
    with _lock:  # several threads serve
        return _buckets.take(who)


def door(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer what is under `/api/`; pass on everything else."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(views.PREFIX):
            return views.answer(request, _take)
        return get_response(request)

    return respond

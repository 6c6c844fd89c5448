"""Ask for confirmation before what cannot be undone: the first press asks, the second acts. Works without a script.
Wrap such a view in `asks_first`: a test requires it, or a reason why not, of every URL that takes a POST."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.kit.roles import View

_SURE = "sure"
_OURS = {"csrfmiddlewaretoken", _SURE}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmation: heading, sentence and buttons."""

    heading: str
    words: str
    yes: str
    back: str
    """The path that "Cancel" leads to."""


type Ask = Callable[..., Confirmation | None]
"""Takes the view's arguments. Returns None where no confirmation is needed."""


def asks_first(ask: Ask) -> Callable[[View], View]:
    """Wrap a view so that a POST runs only after confirmation."""

    def wrap(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            question = None
            if request.method == "POST" and request.POST.get(_SURE) != "yes":
                question = ask(request, *args, **named)
            if question is None:
                answer: HttpResponse = view(request, *args, **named)
                return answer
            typed = {name: value for name, value in request.POST.items() if name not in _OURS}
            return render(request, "kit/question.html", {"question": question, "typed": typed.items()})

        wrapper.asks_first = True  # type: ignore[attr-defined]
        return wrapper

    return wrap

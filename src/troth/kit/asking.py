"""What cannot be undone is asked first: one press shows what would happen, the second does it. Works without a script.

A view that does such a thing is wrapped in `asks_first`; what it would do it says in words. A test holds every address
that takes a POST to this, or to a reason why not.
"""

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
class Question:
    """What is asked: in a heading, in a sentence, and on the two buttons."""

    heading: str
    words: str
    yes: str
    back: str
    """Where "Cancel" leads: a path."""


type Ask = Callable[..., Question | None]
"""Gets what the view gets. None: nothing that needs a question, the view may go on."""


def asks_first(ask: Ask) -> Callable[[View], View]:
    """Let a view's POST pass once its question was answered with yes."""

    def wrap(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            question = None
            if request.method == "POST" and request.POST.get(_SURE) != "yes":
                question = ask(request, *args, **named)
            if question is None:
                answer: HttpResponse = view(request, *args, **named)
                return answer
            typed = {name: value for name, value in request.POST.items() if name not in _OURS}
            return render(request, "kit/question.html", {"question": question, "typed": typed.items()})

        asked.asks_first = True  # type: ignore[attr-defined]
        return asked

    return wrap

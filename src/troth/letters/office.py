"""The newsletter's people in the console. Views hold HTTP only; what a page shows comes from `letters.people`.

Every page that shows a person was opened for a purpose, and says so at its foot (C2). No address is ever in a URL.
"""

from typing import cast
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from troth.ground.personal import EmailAddress
from troth.letters import people as service
from troth.letters.people import State


class FindForm(forms.Form):
    """One e-mail address, whole."""

    email = forms.EmailField(
        max_length=254,
        error_messages={"required": "Type an e-mail address", "invalid": "That is not an e-mail address"},
    )


def _actor(request: HttpRequest) -> UUID:
    return cast(UUID, request.user.pk)


def _state(request: HttpRequest) -> State | None:
    asked = request.GET.get("state", "")
    if not asked:
        return None
    try:
        return State(asked)
    except ValueError as error:
        raise Http404 from error


def _number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    if not asked.isascii() or not asked.isdigit() or not 1 <= len(asked) <= 7 or int(asked) < 1:
        raise Http404
    return int(asked)


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """The list, newest first, 50 to a page."""
    state, number = _state(request), _number(request)
    page = service.page(_actor(request), state=state, number=number)
    if number > page.pages:
        raise Http404
    return _people(request, page, state)


def _people(
    request: HttpRequest, page: service.PeoplePage | None, state: State | None, *, said: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "page": page,
        "state": state,
        "query": f"state={state}&" if state else "",
        "counts": service.counts(),
        "states": list(State),
        "form_url": service.form_url(),
        "said": said,
    }
    return render(request, "letters/people.html", context, status=status)


@sensitive_post_parameters()
@sensitive_variables("form")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Find one person by their whole e-mail address. By POST, so that it gets into no log and no history."""
    form = FindForm(request.POST)
    if not form.is_valid():
        return _people(request, None, None, said=str(form.errors["email"][0]), status=422)
    found = service.find(_actor(request), EmailAddress(form.cleaned_data["email"]))
    if found is None:
        return _people(request, None, None, said="Nobody here has that address")
    return redirect("person", person_id=found)


@require_GET
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person's details and how they came to be on the list."""
    shown = service.person(_actor(request), person_id)
    if shown is None:
        raise Http404
    return render(request, "letters/person.html", {"person": shown})


@require_POST
def consent(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """What the person agreed to. A button of its own: it is opened for identification, not for administration."""
    shown = service.consent(_actor(request), person_id)
    if shown is None:
        raise Http404
    return render(request, "letters/consent.html", {"consent": shown, "person_id": person_id})

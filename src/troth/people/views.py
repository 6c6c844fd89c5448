"""People in the console. Views hold HTTP only; what a page shows comes from `people.queries`.

Every page that shows a person was opened for a purpose, and says so at its foot (C2). No address is ever in a URL.
"""

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from troth.kit.paging import number_asked
from troth.kit.roles import DESK, OWNERS, actor, may
from troth.people import export
from troth.people import queries as service
from troth.people.queries import State


class FindForm(forms.Form):
    """What leads to a person: an address, a domain, a telephone number, a name or a word of it."""

    sought = forms.CharField(max_length=254, error_messages={"required": "Type an address, a name or a number"})


def _state(request: HttpRequest) -> State | None:
    asked = request.GET.get("state", "")
    if not asked:
        return None
    try:
        return State(asked)
    except ValueError as error:
        raise Http404 from error


def _edge(request: HttpRequest) -> service.Edge | None:
    for name in ("before", "after"):
        if asked := request.GET.get(name, ""):
            try:
                return service.Edge(UUID(asked), newer=name == "after")
            except ValueError as error:
                raise Http404 from error
    return None


@may(DESK)
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """The list, newest first, 50 to a page."""
    state, number = _state(request), number_asked(request)
    page = service.page(actor(request), state=state, number=number, edge=_edge(request))
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
        "may_take_along": getattr(request.user, "role", None) in OWNERS,
    }
    return render(request, "people/people.html", context, status=status)


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("form")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Find one person by their whole e-mail address. By POST, so that it gets into no log and no history."""
    form = FindForm(request.POST)
    if not form.is_valid():
        return _people(request, None, None, said=str(form.errors["sought"][0]), status=422)
    found = service.find(actor(request), form.cleaned_data["sought"])
    if not found:
        return _people(request, None, None, said="Nobody here is found by that")
    if len(found) == 1:
        return redirect("person", person_id=found[0])
    return _people(request, service.found_page(actor(request), found), None)


@may(OWNERS)
@require_POST
def take_along(request: HttpRequest) -> StreamingHttpResponse:
    """The list as a file, some hundred people at a time. By POST: it is an opening, and goes into the ledger."""
    asked = request.POST.get("state", "")
    if asked and asked not in list(State):
        raise Http404
    parts = export.list_people(actor(request), State(asked) if asked else None)
    answer = StreamingHttpResponse((part for _, part in parts), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="people{"-" + asked if asked else ""}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


@may(DESK)
@require_GET
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person's details and how they came to be on the list."""
    shown = service.person(actor(request), person_id)
    if shown is None:
        raise Http404
    context = {"person": shown, "rights_url": service.rights_url()}
    return render(request, "people/person.html", context)


@may(DESK)
@require_POST
def consent(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """What the person agreed to. A button of its own: it is opened for identification, not for administration."""
    shown = service.consent(actor(request), person_id)
    if shown is None:
        raise Http404
    return render(request, "people/consent.html", {"consent": shown, "person_id": person_id})

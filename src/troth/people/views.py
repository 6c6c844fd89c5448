"""Pages about people: HTTP only; what they show comes from `people.queries`. Every page that shows a person states at
its foot that viewing it was logged (C2). No personal data is in a URL."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from troth.core.errors import TrothError
from troth.kit.paging import number_asked
from troth.kit.roles import DESK, OWNERS, actor, may
from troth.people import export
from troth.people import queries as service
from troth.people.list_formats import ListFormat, form_of
from troth.people.queries import SubscriberState


class SearchForm(forms.Form):
    """A search: an email address, a domain, a telephone number, a name or a word of it."""

    sought = forms.CharField(
        max_length=254, error_messages={"required": "Enter an email address, name or phone number"}
    )


def _state(request: HttpRequest) -> SubscriberState | None:
    value = request.GET.get("state", "")
    if not value:
        return None
    try:
        return SubscriberState(value)
    except ValueError as error:
        raise Http404 from error


def _edge(request: HttpRequest) -> service.Edge | None:
    for name in ("before", "after"):
        if value := request.GET.get(name, ""):
            try:
                return service.Edge(UUID(value), newer=name == "after")
            except ValueError as error:
                raise Http404 from error
    return None


@may(DESK)
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Show the list, newest first, 50 to a page."""
    state, number = _state(request), number_asked(request)
    page = service.page(actor(request), state=state, number=number, edge=_edge(request))
    if number > page.pages:
        raise Http404
    return _people(request, page, state)


def _people(
    request: HttpRequest,
    page: service.PeoplePage | None,
    state: SubscriberState | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "page": page,
        "state": state,
        "query": f"state={state}&" if state else "",
        "counts": service.counts(),
        "states": list(SubscriberState),
        "form_url": service.form_url(),
        "problem": problem,
        "formats": [ListFormat.TROTH] if state is SubscriberState.WAITING else list(ListFormat),
        "may_export": getattr(request.user, "role", None) in OWNERS,
    }
    return render(request, "people/people.html", context, status=status)


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("form")
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Search people. By POST, so that the query is in no log and no history."""
    form = SearchForm(request.POST)
    if not form.is_valid():
        return _people(request, None, None, problem=str(form.errors["sought"][0]), status=422)
    matches = service.find(actor(request), form.cleaned_data["sought"])
    if not matches:
        return _people(request, None, None, problem="No results")
    if len(matches) == 1:
        return redirect("person", person_id=matches[0])
    return _people(request, service.found_page(actor(request), matches), None)


@may(OWNERS)
@require_POST
def export_all(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream the list as a CSV file. By POST: it opens people and is written to the access log."""
    state, chosen = request.POST.get("state", ""), request.POST.get("format", ListFormat.TROTH.value)
    if (state and state not in list(SubscriberState)) or chosen not in list(ListFormat):
        raise Http404
    try:
        form = form_of(ListFormat(chosen), SubscriberState(state) if state else None)
    except TrothError as refused:
        return HttpResponse(f"{refused} {refused.mend}", status=422, content_type="text/plain; charset=utf-8")
    parts = export.ListExport(actor(request), form).parts()
    answer = StreamingHttpResponse((part for _, part in parts), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{form.file_name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@may(DESK)
@require_GET
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show one person's details and activity."""
    opened = service.person(actor(request), person_id)
    if opened is None:
        raise Http404
    context = {"person": opened, "rights_url": service.rights_url()}
    return render(request, "people/person.html", context)


@may(DESK)
@require_POST
def consent(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show a consent record. A separate page: it is opened for identification, not for administration."""
    opened = service.consent(actor(request), person_id)
    if opened is None:
        raise Http404
    return render(request, "people/consent.html", {"consent": opened, "person_id": person_id})

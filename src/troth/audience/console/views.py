"""Visitor statistics in the console. Views hold HTTP only; what a page shows comes from `dashboard` and `panels`.

Nobody is on any of these pages: they are sums. So an analyst may look, and an analyst and an owner may say what they
are shown without. Everything works by plain links and forms; htmx only spares the eye a new page.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from troth.audience.console import dashboard, filters, panels
from troth.audience.console.filters import Asked
from troth.audience.console.top_list import table
from troth.audience.counting.cells import Dim
from troth.audience.queries import annotations, exclusions, labels, site_time
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import Totals
from troth.audience.queries.realtime import recent
from troth.kit.asking import Question, asks_first
from troth.kit.roles import COUNTERS, EVERYBODY, may


def _asked(request: HttpRequest) -> Asked:
    return filters.parse({name: request.GET[name] for name in request.GET}, site_time.today())


@may(EVERYBODY)
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """The dashboard."""
    if dashboard.nothing_yet():
        return _nothing_yet(request)
    wanted = _asked(request)
    whole = dashboard.whole(wanted)
    return render(request, "audience/statistics.html", {**_top(request, wanted, whole), **_panels(wanted, whole)})


def _nothing_yet(request: HttpRequest) -> HttpResponse:
    """How to put the snippet in."""
    config = settings.TROTH_CONFIG
    snippet = f"{config.site.url}/t.js"
    context = {"config": config, "snippet": snippet, "hosts": sorted(config.audience_hosts)}
    return render(request, "audience/nothing_yet.html", context)


def _top(request: HttpRequest, wanted: Asked, sums: Totals) -> Mapping[str, object]:
    """What stands above the panels."""
    now = site_time.now()
    against = dashboard.compared(wanted, now, sums)
    return {
        "asked": wanted,
        "words": dashboard.words(wanted),
        "stretches": dashboard.stretches(wanted),
        "comparing": wanted.comparing(not wanted.compare).query(),
        "beside": dashboard.days_beside(wanted),
        "filters": _filters(wanted),
        "against": against,
        "figures": dashboard.figures(wanted, sums, against),
        "chart": dashboard.chart(wanted, now),
        "recent": recent(now),
        "restarts": dashboard.restarts(wanted.period),
        "taken": len(exclusions.within(wanted.period)),
        "may_change": getattr(request.user, "role", None) in COUNTERS,
        "longest_note": annotations.LONGEST,
    }


def _filters(wanted: Asked) -> list[Mapping[str, str]]:
    """The chips: what each is, and the address without it."""
    return [
        {
            "kind": panels.ONE[drill.dim],
            "name": labels.shown(drill.dim, drill.name),
            "without": wanted.without(drill).query(),
            "out": _way_out(wanted, drill.dim, drill.name),
        }
        for drill in wanted.drills
    ]


def _way_out(wanted: Asked, dim: Dim, name: str) -> str:
    """The address of the form that takes it out, filled in."""
    if dim not in exclusions.MAY_GO:
        return ""
    first, last = wanted.period.first.isoformat(), wanted.period.last.isoformat()
    return filters.encoded([("dim", dim), ("name", name), ("from", first), ("to", last)])


def _panels(wanted: Asked, whole: Totals) -> Mapping[str, object]:
    """The panels, and what they say where there is nothing to be had."""
    events, no_events = panels.events(wanted, whole)
    walks, no_walks = panels.walks(wanted)
    asked_not, dropped = dashboard.uncounted(wanted.period)
    return {
        "panels": panels.groups(wanted, whole),
        "goals": panels.goals(wanted, whole, settings.TROTH_CONFIG.audience.goals),
        "events": events,
        "no_events": no_events,
        "walks": walks,
        "no_walks": no_walks,
        "versions": [] if wanted.drills else panels.versions(wanted),
        "asked_not": asked_not,
        "dropped": dropped,
        "at_least": settings.TROTH_CONFIG.audience.min_visitors,
    }


@may(EVERYBODY)
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """The last half hour: a part of the page, asked for every few seconds."""
    return render(request, "audience/now.html", {"recent": recent(site_time.now())})


@may(EVERYBODY)
@require_GET
def more(request: HttpRequest, kind: str) -> HttpResponse:
    """Up to 500 rows of one kind, and a field to search them."""
    dim = next((dim for dim in panels.ONE if dim.value == kind), None)
    if dim is None:
        raise Http404
    wanted, sought = _asked(request), request.GET.get("sought", "").strip()[:100]
    context = {
        "asked": wanted,
        "words": dashboard.words(wanted),
        "filters": _filters(wanted),
        "table": table(wanted, dim, sought),
        "sought": sought,
        "most": panels.MOST,
        "fields": wanted.pairs(),
        "at_least": settings.TROTH_CONFIG.audience.min_visitors,
    }
    return render(request, "audience/more.html", context)


# -- notes ------------------------------------------------------------------------------------------------------------


def _back(request: HttpRequest) -> HttpResponse:
    """To the dashboard as it was: its query is parsed and written anew, so that it leads nowhere else."""
    query = filters.decoded(request.POST.get("back", ""))
    return redirect(reverse("statistics") + filters.parse(query, site_time.today()).query())


@may(COUNTERS)
@require_POST
def note(request: HttpRequest) -> HttpResponse:
    """Note something at a day."""
    day = filters.day(request.POST.get("day", ""))
    try:
        if day is None or day > site_time.today() + timedelta(days=366):
            raise annotations.NotNoted("A note needs the day that it belongs to.")
        annotations.add(day, request.POST.get("text", ""))
    except annotations.NotNoted as refused:
        messages.error(request, str(refused))
    return _back(request)


def _ask_remove_note(request: HttpRequest, number: int) -> Question | None:
    text = annotations.text_of(number)
    return Question("Remove this note?", f"“{text}”", "Remove", reverse("statistics")) if text else None


@may(COUNTERS)
@require_POST
@asks_first(_ask_remove_note)
def remove_note(request: HttpRequest, number: int) -> HttpResponse:
    """Remove a note."""
    if not annotations.remove(number):
        raise Http404
    return _back(request)


# -- taking out -------------------------------------------------------------------------------------------------------


@may(EVERYBODY)
@require_GET
def out(request: HttpRequest) -> HttpResponse:
    """What is taken out, and the form that takes something out."""
    return _out(request, request.GET)


def _out(request: HttpRequest, typed: Mapping[str, str], wrong: str = "", status: int = 200) -> HttpResponse:
    today = site_time.today()
    dim = next((dim for dim in exclusions.MAY_GO if dim.value == typed.get("dim")), exclusions.MAY_GO[0])
    context = {
        "standing": [(one, panels.ONE[one.dim], labels.shown(one.dim, one.name)) for one in exclusions.standing()],
        "kinds": [(kind.value, panels.ONE[kind].capitalize(), kind is dim) for kind in exclusions.MAY_GO],
        "stays": [
            (panels.ONE[kind], [panels.SEVERAL[one] for one in exclusions.stays_in(kind)]) for kind in exclusions.MAY_GO
        ],
        "name": typed.get("name", "")[:500],
        "first": filters.day(typed.get("from", "")) or today,
        "last": filters.day(typed.get("to", "")) or today,
        "wrong": wrong,
        "may_change": getattr(request.user, "role", None) in COUNTERS,
    }
    return render(request, "audience/out.html", context, status=status)


@may(COUNTERS)
@require_POST
def take_out(request: HttpRequest) -> HttpResponse:
    """Show every figure without what one thing brought on some days."""
    dim = next((dim for dim in exclusions.MAY_GO if dim.value == request.POST.get("dim")), None)
    first, last = (filters.day(request.POST.get(name, "")) for name in ("from", "to"))
    if dim is None or first is None or last is None:
        return _out(request, request.POST, "Say what it is, and give its first and its last day.", 422)
    name = labels.stored(dim, request.POST.get("name", "").strip())
    try:
        exclusions.take_out(dim, name, Period(first, last))
    except exclusions.NotTakenOut as refused:
        return _out(request, request.POST, str(refused), 422)
    messages.success(request, f"{labels.shown(dim, name)} is taken out. Every figure is shown without what it brought.")
    return redirect("statistics_out")


@may(COUNTERS)
@require_POST
def put_back(request: HttpRequest, number: int) -> HttpResponse:
    """Count it again."""
    if not exclusions.put_back(number):
        raise Http404
    messages.success(request, "It is put back, and counts again.")
    return redirect("statistics_out")

"""Handles the HTTP requests of the statistics console; what a page shows comes from `dashboard` and `panels`.

The pages hold totals and no personal data, so every role may read them; owners and analysts may add notes and exclude
traffic. Everything works with plain links and forms; htmx only avoids page loads.
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
from troth.audience.console.filters import DashboardQuery
from troth.audience.console.top_list import table
from troth.audience.counting.cells import Dim
from troth.audience.queries import annotations, exclusions, labels, site_time
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import SumTotals, answer
from troth.audience.queries.realtime import recent
from troth.kit.asking import Confirmation, asks_first
from troth.kit.roles import COUNTERS, EVERYBODY, may


def _query(request: HttpRequest) -> DashboardQuery:
    return filters.parse({name: request.GET[name] for name in request.GET}, site_time.today())


@may(EVERYBODY)
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """Show the dashboard."""
    if dashboard.nothing_yet():
        return _nothing_yet(request)
    query = _query(request)
    totals = answer(query.question).totals
    return render(request, "audience/statistics.html", {**_top(request, query, totals), **_panels(query, totals)})


def _nothing_yet(request: HttpRequest) -> HttpResponse:
    """Show how to install the script."""
    config = settings.TROTH_CONFIG
    snippet = f"{config.site.url}/t.js"
    context = {"config": config, "snippet": snippet, "hosts": sorted(config.audience_hosts)}
    return render(request, "audience/nothing_yet.html", context)


def _top(request: HttpRequest, query: DashboardQuery, sums: SumTotals) -> Mapping[str, object]:
    """Return the template context of all that is above the panels."""
    now = site_time.now()
    comparison = dashboard.comparison(query, now, sums)
    earlier, later = dashboard.neighbours(query)
    return {
        "query": query,
        "period": dashboard.period_text(query),
        "periods": dashboard.periods(query),
        "toggle_compare": query.comparing(not query.compare).encoded(),
        "earlier": earlier,
        "later": later,
        "filters": _filters(query),
        "comparison": comparison,
        "figures": dashboard.figures(query, sums, comparison),
        "chart": dashboard.chart(query, now),
        "recent": recent(now),
        "restarts": dashboard.restarts(query.period),
        "exclusion_count": len(exclusions.within(query.period)),
        "may_change": getattr(request.user, "role", None) in COUNTERS,
        "longest_note": annotations.LONGEST,
    }


def _filters(query: DashboardQuery) -> list[Mapping[str, str]]:
    """Return the filters, each with the URLs that remove and exclude it."""
    return [
        {
            "kind": panels.ONE[drill.dim],
            "name": labels.shown(drill.dim, drill.name),
            "without": query.without(drill).encoded(),
            "exclude": _exclude_url(query, drill.dim, drill.name),
        }
        for drill in query.drills
    ]


def _exclude_url(query: DashboardQuery, dim: Dim, name: str) -> str:
    """Return the query string that fills in the form for excluding it; empty where it cannot be excluded."""
    if dim not in exclusions.MAY_GO:
        return ""
    first, last = query.period.first.isoformat(), query.period.last.isoformat()
    return filters.encoded([("dim", dim), ("name", name), ("from", first), ("to", last)])


def _panels(query: DashboardQuery, totals: SumTotals) -> Mapping[str, object]:
    """Return the template context of the panels, with reasons where one is not available."""
    events, no_events = panels.events(query, totals)
    page_flow, no_page_flow = panels.page_flow(query)
    opted_out, dropped = dashboard.uncounted(query.period)
    return {
        "panels": panels.groups(query, totals),
        "goals": panels.goals(query, totals, settings.TROTH_CONFIG.goals),
        "events": events,
        "no_events": no_events,
        "page_flow": page_flow,
        "no_page_flow": no_page_flow,
        "versions": [] if query.drills else panels.versions(query),
        "opted_out": opted_out,
        "dropped": dropped,
        "min_visitors": settings.TROTH_CONFIG.audience.min_visitors,
    }


@may(EVERYBODY)
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """Show the last half hour: the part of the page that refreshes itself."""
    return render(request, "audience/now.html", {"recent": recent(site_time.now())})


@may(EVERYBODY)
@require_GET
def more(request: HttpRequest, kind: str) -> HttpResponse:
    """Show up to 500 rows of one dimension, searchable."""
    dim = next((dim for dim in panels.ONE if dim.value == kind), None)
    if dim is None:
        raise Http404
    query, search = _query(request), request.GET.get("search", "").strip()[:100]
    context = {
        "query": query,
        "period": dashboard.period_text(query),
        "filters": _filters(query),
        "table": table(query, dim, search),
        "search": search,
        "most": panels.MOST,
        "fields": query.pairs(),
        "min_visitors": settings.TROTH_CONFIG.audience.min_visitors,
    }
    return render(request, "audience/more.html", context)


# -- notes ------------------------------------------------------------------------------------------------------------


def _back(request: HttpRequest) -> HttpResponse:
    """Redirect to the dashboard as it was. The query is parsed and rebuilt, so that it leads nowhere else."""
    query = filters.decoded(request.POST.get("back", ""))
    return redirect(reverse("statistics") + filters.parse(query, site_time.today()).encoded())


@may(COUNTERS)
@require_POST
def note(request: HttpRequest) -> HttpResponse:
    """Add a note to a day."""
    day = filters.day(request.POST.get("day", ""))
    try:
        if day is None or day > site_time.today() + timedelta(days=366):
            raise annotations.NotNoted("Choose a day for the note, at most a year ahead.")
        annotations.add(day, request.POST.get("text", ""))
    except annotations.NotNoted as refused:
        messages.error(request, str(refused))
    return _back(request)


def _ask_remove_note(request: HttpRequest, number: int) -> Confirmation | None:
    text = annotations.text_of(number)
    return Confirmation("Remove this note?", f"“{text}”", "Remove", reverse("statistics")) if text else None


@may(COUNTERS)
@require_POST
@asks_first(_ask_remove_note)
def remove_note(request: HttpRequest, number: int) -> HttpResponse:
    """Remove a note."""
    if not annotations.remove(number):
        raise Http404
    return _back(request)


# -- excluding --------------------------------------------------------------------------------------------------------


@may(EVERYBODY)
@require_GET
def out(request: HttpRequest) -> HttpResponse:
    """Show the excluded traffic, and the form that excludes more."""
    return _out(request, request.GET)


def _out(request: HttpRequest, typed: Mapping[str, str], wrong: str = "", status: int = 200) -> HttpResponse:
    today = site_time.today()
    dim = next((dim for dim in exclusions.MAY_GO if dim.value == typed.get("dim")), exclusions.MAY_GO[0])
    context = {
        "exclusions": [(row, panels.ONE[row.dim], labels.shown(row.dim, row.name)) for row in exclusions.standing()],
        "kinds": [(kind.value, panels.ONE[kind].capitalize(), kind is dim) for kind in exclusions.MAY_GO],
        "coverage": [
            (panels.ONE[kind], [panels.SEVERAL[dim] for dim in exclusions.stays_in(kind)]) for kind in exclusions.MAY_GO
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
    """Exclude the traffic of one name on some days from every figure."""
    dim = next((dim for dim in exclusions.MAY_GO if dim.value == request.POST.get("dim")), None)
    first, last = (filters.day(request.POST.get(name, "")) for name in ("from", "to"))
    if dim is None or first is None or last is None:
        return _out(request, request.POST, "Choose a type, and give the first and the last day.", 422)
    name = labels.stored(dim, request.POST.get("name", "").strip())
    try:
        exclusions.take_out(dim, name, Period(first, last))
    except exclusions.NotTakenOut as refused:
        return _out(request, request.POST, str(refused), 422)
    messages.success(request, f"{labels.shown(dim, name)} is now excluded from every figure.")
    return redirect("statistics_out")


@may(COUNTERS)
@require_POST
def put_back(request: HttpRequest, number: int) -> HttpResponse:
    """Restore excluded traffic."""
    if not exclusions.put_back(number):
        raise Http404
    messages.success(request, "Restored. It counts again.")
    return redirect("statistics_out")

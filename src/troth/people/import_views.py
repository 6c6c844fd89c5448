"""Importing people in the console: upload, preview, confirm, progress, result. HTTP only; `import_desk` does it.

No page shows anybody: cells are masked, and what is wrong with a row names its line and column, never its value."""

from uuid import UUID

from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.core.errors import TrothError
from troth.kit.roles import OWNERS, actor, may
from troth.kit.uploads import takes_file
from troth.people import import_desk, import_job, import_topics
from troth.people.import_desk import Desk, Step
from troth.people.import_forms import ImportForm, chosen_columns, column_choices
from troth.people.import_words import for_page

_SHOWN = 50
"""Bad rows and reasons that the page lists."""


@takes_file
@sensitive_post_parameters()
@may(OWNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Ask for a file; by POST, begin to check it. Nothing is imported."""
    if request.method != "POST":
        return _ask(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ask(request, form)
    try:
        ident = import_desk.begin(actor(request), form.upload(), form.statement())
    except TrothError as error:
        form.add_error(None, for_page(f"{error} {error.mend}".strip()))
        return _ask(request, form)
    return redirect("import_preview", ident=ident)


def _ask(request: HttpRequest, form: ImportForm) -> HttpResponse:
    context = {"form": form, "latest": import_desk.latest(actor(request))}
    return render(request, "people/import_new.html", context, status=422 if form.is_bound else 200)


def _desk(request: HttpRequest, ident: UUID) -> Desk:
    desk = import_desk.snapshot(actor(request), ident)
    if desk is None:
        raise Http404
    return desk


@may(OWNERS)
@require_GET
def preview(request: HttpRequest, ident: UUID) -> HttpResponse:
    """Show how far the check or the import is, what was found, or what came of it."""
    return _page(request, _desk(request, ident))


def _page(request: HttpRequest, desk: Desk, problem: str = "") -> HttpResponse:
    checked, names = desk.checked, import_topics.names_by_number()
    counts = desk.imported if desk.step is Step.DONE else checked.counts
    unknown = checked.unknown_topics + checked.unusable_topics
    context = {
        "desk": desk,
        "problem": for_page(problem or desk.problem),
        "counts": [(words, counts[name]) for name, words in import_job.COUNTS.items() if counts[name]],
        "topics": [(names.get(number, ""), count) for number, count in checked.topics.most_common()],
        "unknown_topics": unknown.most_common(_SHOWN),
        "creatable": len(checked.unknown_topics),
        "away": checked.away.most_common(_SHOWN),
        "files": [(name, desk.states[name], sum(rows.values())) for name, rows in checked.files.items()]
        if desk.states
        else [],
        "left_out": [(column, for_page(why), count) for (column, why), count in checked.left_out.most_common(_SHOWN)],
        "bad": [
            (bad.file if desk.states else "", bad.line, bad.column, for_page(bad.why)) for bad in checked.bad[:_SHOWN]
        ],
        "bad_count": checked.counts["bad"],
        "reasons": [(column, for_page(why), count) for (column, why), count in checked.reasons.most_common(_SHOWN)],
        "columns": column_choices(desk.columns, desk.first_rows),
        "more_columns": max(0, len(desk.columns.headers) - len(column_choices(desk.columns, ()))),
        "usable": checked.usable,
        "program": desk.columns.program,
    }
    return render(request, "people/import.html", context, status=422 if problem else 200)


@may(OWNERS)
@require_POST
def check(request: HttpRequest, ident: UUID) -> HttpResponse:
    """Check the file once more, with columns read as the operator says."""
    desk = _desk(request, ident)
    columns = chosen_columns(request.POST.dict(), desk.columns, desk.statement.options.columns)
    try:
        import_desk.check_again(actor(request), ident, columns)
    except TrothError as error:
        return _page(request, desk, f"{error} {error.mend}".strip())
    return redirect("import_preview", ident=ident)


@may(OWNERS)
@require_POST
def confirm(request: HttpRequest, ident: UUID) -> HttpResponse:
    """Begin to import what the preview showed."""
    _desk(request, ident)
    skip_bad, create_topics = request.POST.get("skip_bad") == "yes", request.POST.get("create_topics") == "yes"
    if not import_desk.confirm(actor(request), ident, skip_bad=skip_bad, create_topics=create_topics):
        flash.error(request, "Nothing was imported: there is nobody to import, or rows have errors.")
    return redirect("import_preview", ident=ident)


@may(OWNERS)
@require_POST
def discard(request: HttpRequest, ident: UUID) -> HttpResponse:
    """Drop an uploaded file."""
    import_desk.discard(actor(request), ident)
    flash.success(request, "The file was discarded.")
    return redirect("people")

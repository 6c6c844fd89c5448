"""Pages about promises: their state, running checks, results of runs, and publishing the policy. HTTP only. They open
no person, so an analyst may view them; an owner publishes."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from troth.core import clock
from troth.kit.roles import DESK, EVERYBODY, OWNERS, actor, may
from troth.policy import data_map, diff, proof_progress, status, versions
from troth.policy.models import PolicyVersion, ProofRun
from troth.policy.promises import PROMISES
from troth.policy.status_rows import PromiseRow, RunRow, rows, run_rows
from troth.policy.versions import NotPublished

_RUNS = 12


@may(EVERYBODY)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the state of every promise, and the last runs."""
    stands = status.standings(status.newest(), clock.now())
    context = {
        "rows": [PromiseRow.of(standing) for standing in stands],
        "runs": run_rows(_RUNS),
        "draft": versions.draft(),
        "url": f"{settings.TROTH_CONFIG.site.url}/privacy",
        "minutes": settings.TROTH_CONFIG.promises.prove_minutes,
        **_progress(),
    }
    return render(request, "policy/promises.html", context)


def _progress() -> dict[str, object]:
    return {"progress": proof_progress.watch(), "asked": proof_progress.asked()}


@may(DESK)
@require_POST
def run_now(request: HttpRequest) -> HttpResponse:
    """Start all checks, or the quick ones. The supervisor starts the prover within a second."""
    kind = next((kind for kind in proof_progress.KINDS if kind == request.POST.get("how")), None)
    if kind is None:
        raise Http404
    try:
        proof_progress.ask(kind)
    except OSError:
        messages.error(
            request,
            "The checks could not be started, because the disk cannot be written. Run `troth prove` on the "
            "server instead.",
        )
    return redirect("promises")


@may(EVERYBODY)
@require_GET
def progress_now(request: HttpRequest) -> HttpResponse:
    """Return the progress of the present run, a part of a page that is requested every second."""
    context = _progress()
    answer = render(request, "policy/progress.html", context)
    if context["progress"] is None and not context["asked"]:
        answer["HX-Refresh"] = "true"  # the run has ended: reload the page with its results
    return answer


@may(EVERYBODY)
@require_GET
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show the results of one run."""
    proof_run = get_object_or_404(ProofRun, id=run_id, ended_at__isnull=False)
    return render(request, "policy/run.html", {"run": RunRow.of(proof_run), "rows": rows(proof_run)})


# -- the policy -------------------------------------------------------------------------------------------------------


@may(EVERYBODY)
@require_GET
def policy(request: HttpRequest) -> HttpResponse:
    """Show the version in force, unpublished changes, problems and all versions."""
    return _policy(request)


def _policy(request: HttpRequest, *, problem: str = "", change: str = "", status: int = 200) -> HttpResponse:
    draft = versions.draft()
    context = {
        "draft": draft,
        "difference": _difference(draft) if draft.waits else [],
        "versions": PolicyVersion.objects.defer("text", "tables").order_by("-number"),
        "url": f"{settings.TROTH_CONFIG.site.url}/privacy",
        "longest": versions.LONGEST_SAID,
        "problem": problem,
        "change": change,
        "letters": {promise.id: promise.letter for promise in PROMISES},
    }
    return render(request, "policy/policy.html", context, status=status)


def _difference(draft: versions.PolicyDraft) -> list[diff.DiffLine]:
    if draft.text is None or draft.version is None:
        return []
    new = diff.whole(draft.text.text, data_map.tables(settings.TROTH_CONFIG))
    return diff.between(diff.whole(draft.version.text, draft.version.tables), new)


@may(OWNERS)
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish the text that was shown."""
    change, draft = request.POST.get("said", ""), versions.draft()
    if draft.text is None or request.POST.get("digest") != draft.text.digest:
        problem = "policy.md has changed since you opened this page. Review the changes below, then publish."
        return _policy(request, problem=problem, change=change, status=409)
    try:
        published = versions.publish(draft.text, change, str(actor(request)))
    except NotPublished as error:
        return _policy(request, problem=f"{error} {error.mend}", change=change, status=422)
    messages.success(request, f"Version {published.number} is published. Visitors will see it within ten seconds.")
    return redirect("policy")


@may(EVERYBODY)
@require_GET
def version(request: HttpRequest, number: int) -> HttpResponse:
    """Show one version: its text and changes."""
    shown_version = get_object_or_404(PolicyVersion, number=number)
    before = PolicyVersion.objects.filter(number=number - 1).first()
    old = diff.whole(before.text, before.tables) if before else []
    lines = diff.between(old, diff.whole(shown_version.text, shown_version.tables)) if before else []
    return render(request, "policy/version.html", {"version": shown_version, "difference": lines})

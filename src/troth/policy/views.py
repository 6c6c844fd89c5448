"""The promises in the console: how each stands, trying them now, what runs found, and publishing the policy.

Views hold HTTP only. No person is shown or opened on any of these pages, so an analyst may look; an owner publishes.
"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from troth.core import clock
from troth.kit.roles import DESK, EVERYBODY, OWNERS, actor, may
from troth.policy import data_map, diff, proof_progress, status, versions
from troth.policy.models import PolicyVersion, ProofRun
from troth.policy.promises import PROMISES
from troth.policy.status_rows import Row, RunRow, rows, run_rows
from troth.policy.versions import NotPublished

_RUNS = 12


@may(EVERYBODY)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Every promise as it stands, and the last runs."""
    stands = status.standings(status.newest(), clock.now())
    context = {
        "rows": [Row.of(one) for one in stands],
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
def try_now(request: HttpRequest) -> HttpResponse:
    """Have every promise tried, or what is quickly tried. The supervisor sends the prover out within a second."""
    word = next((one for one in proof_progress.WORDS if one == request.POST.get("how")), None)
    if word is None:
        raise Http404
    try:
        proof_progress.ask(word)
    except OSError:
        messages.error(request, "It cannot be asked for: the disk refuses. `troth prove` on the machine does the same.")
    return redirect("promises")


@may(EVERYBODY)
@require_GET
def progress_now(request: HttpRequest) -> HttpResponse:
    """How far the run is that is going on: a part of a page, asked for every second."""
    context = _progress()
    answer = render(request, "policy/progress.html", context)
    if context["progress"] is None and not context["asked"]:
        answer["HX-Refresh"] = "true"  # the run has ended: the whole page says what it found
    return answer


@may(EVERYBODY)
@require_GET
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run: what each proof found."""
    found = ProofRun.objects.filter(id=run_id, ended_at__isnull=False).first()
    if found is None:
        raise Http404
    return render(request, "policy/run.html", {"run": RunRow.of(found), "rows": rows(found)})


# -- the policy -------------------------------------------------------------------------------------------------------


@may(EVERYBODY)
@require_GET
def policy(request: HttpRequest) -> HttpResponse:
    """What is in force, what would change, what is wrong with it, and every version."""
    return _policy(request)


def _policy(request: HttpRequest, *, wrong: str = "", said: str = "", status: int = 200) -> HttpResponse:
    draft = versions.draft()
    context = {
        "draft": draft,
        "difference": _difference(draft) if draft.waits else [],
        "versions": PolicyVersion.objects.defer("text", "tables").order_by("-number"),
        "url": f"{settings.TROTH_CONFIG.site.url}/privacy",
        "longest": versions.LONGEST_SAID,
        "wrong": wrong,
        "said": said,
        "letters": {promise.id: promise.letter for promise in PROMISES},
    }
    return render(request, "policy/policy.html", context, status=status)


def _difference(draft: versions.Draft) -> list[diff.Line]:
    if draft.text is None or draft.version is None:
        return []
    new = diff.whole(draft.text.text, data_map.tables(settings.TROTH_CONFIG))
    return diff.between(diff.whole(draft.version.text, draft.version.tables), new)


@may(OWNERS)
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Make the text that was shown the policy in force."""
    said, draft = request.POST.get("said", ""), versions.draft()
    if draft.text is None or request.POST.get("digest") != draft.text.digest:
        wrong = "policy.md was changed while you read. Below is how it is now: look again, then publish."
        return _policy(request, wrong=wrong, said=said, status=409)
    try:
        made = versions.publish(draft.text, said, str(actor(request)))
    except NotPublished as error:
        return _policy(request, wrong=f"{error} {error.mend}", said=said, status=422)
    messages.success(request, f"Version {made.number} is in force. Visitors read it within ten seconds.")
    return redirect("policy")


@may(EVERYBODY)
@require_GET
def version(request: HttpRequest, number: int) -> HttpResponse:
    """One version: its text, and what it changed."""
    found = PolicyVersion.objects.filter(number=number).first()
    if found is None:
        raise Http404
    before = PolicyVersion.objects.filter(number=number - 1).first()
    old = diff.whole(before.text, before.tables) if before else []
    lines = diff.between(old, diff.whole(found.text, found.tables)) if before else []
    return render(request, "policy/version.html", {"version": found, "difference": lines})

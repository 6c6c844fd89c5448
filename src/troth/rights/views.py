"""What an operator does with one person's record in the console: correct, export, freeze, erase. HTTP only. No GET
changes anything, no detail is in a URL, and a receipt names nobody."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.core import clock, facts, receipts
from troth.core.contact_details import FIELDS
from troth.core.personal import TYPES, Personal, each_detail
from troth.core.purpose import BASIC, Category, Reason
from troth.core.text.card_numbers import mask
from troth.kit.roles import DESK, actor, may
from troth.rights import details_form, held_exports, services
from troth.rights import export_documents as exports
from troth.vault.models import Erasure, Person

_MASKED = "A card number was removed from what you entered; only its last four digits are kept."


# -- correct ----------------------------------------------------------------------------------------------------------


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("raw", "typed", "details")
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Return the person's details as a form; POST puts what was typed in their place."""
    get_object_or_404(Person, id=person_id)
    if request.method == "GET":
        details = services.details_of(person_id, Reason.CORRECT_PERSON, actor(request))
        return _form(request, person_id, dict(each_detail(details)) if details else {})
    raw = {category: request.POST.get(category.value, "") for category in BASIC}
    typed = {category: mask(text) for category, text in raw.items()}
    if typed != raw:
        messages.info(request, _MASKED)
    try:
        services.correct(person_id, details_form.read(typed), actor(request))
    except details_form.DetailsRefused as refused:
        return _form(request, person_id, _wrapped(typed), refused.problems)
    except services.RightsRefused as refused:
        problems = {refused.field or Category.EMAIL: str(refused)}
        return _form(request, person_id, _wrapped(typed), problems)
    return redirect("person", person_id=person_id)


def _wrapped(typed: Mapping[Category, str]) -> dict[Category, Personal | None]:
    return {category: TYPES[category](text) for category, text in typed.items()}


def _form(
    request: HttpRequest,
    person_id: UUID,
    values: Mapping[Category, Personal | None],
    problems: Mapping[Category, str] | None = None,
) -> HttpResponse:
    fields = [
        {
            "name": category.value,
            "label": FIELDS[category].label,
            "control": FIELDS[category].control,
            "value": values.get(category),
            "wrong": (problems or {}).get(category, ""),
            "longest": FIELDS[category].longest,
            "required": category is Category.EMAIL,
        }
        for category in BASIC
    ]
    context = {"person_id": person_id, "fields": fields, "problems": problems}
    return render(request, "rights/correct.html", context, status=422 if problems else 200)


# -- export -----------------------------------------------------------------------------------------------------------

_KINDS = {"json": "application/json; charset=utf-8", "html": "text/html; charset=utf-8"}


@may(DESK)
@require_POST
def export(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Return all that is kept of this person, as a file. By POST: it is an opening, and goes into the ledger."""
    form = request.POST.get("form", "")
    if form not in _KINDS:
        raise Http404
    try:
        exported = held_exports.take(person_id, actor(request))
    except held_exports.ExportHeld as error:
        messages.info(request, str(error))
        return redirect("person", person_id=person_id)
    if exported is None:
        raise Http404
    answer = HttpResponse(exports.body(exported.data if form == "json" else exported.page), content_type=_KINDS[form])
    # No id and no name: a file's name ends up in mails, in lists of downloads, in other people's search indexes.
    answer["Content-Disposition"] = f'attachment; filename="export-{clock.now():%Y-%m-%d}.{form}"'
    return answer


# -- freeze -----------------------------------------------------------------------------------------------------------


@may(DESK)
@require_POST
def freeze(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Leave this person alone, or go on as before."""
    get_object_or_404(Person, id=person_id)
    change = services.unfreeze if request.POST.get("frozen") == "no" else services.freeze
    try:
        change(person_id)
    except services.RightsRefused:
        raise Http404 from None
    return redirect("person", person_id=person_id)


# -- erase ------------------------------------------------------------------------------------------------------------


@may(DESK)
@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Return what would go and what would stay; POST asks the worker to do it."""
    get_object_or_404(Person, id=person_id)
    if request.method == "GET":
        config = settings.TROTH_CONFIG
        context = {
            "person_id": person_id,
            "kept": services.must_keep(person_id),
            "backups": facts.after_erasure(config.backup.keys_days),
            "choice": facts.CHOICE_KEPT if config.audience.enabled else "",
        }
        return render(request, "rights/erase.html", context)
    erasure = services.ask_to_erase(person_id, str(actor(request)))
    if erasure is None:
        raise Http404
    return redirect("erasure", erasure_id=erasure.id)


@may(DESK)
@require_GET
def erasure(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Return the receipt; until there is one, a page that looks again by itself."""
    row = get_object_or_404(Erasure, id=erasure_id)
    receipt, fault = None, ""
    try:
        receipt = receipts.read(row.receipt.encode()).told if row.done_at else None
    except receipts.ReceiptRefused as refused:
        fault = str(refused)
    backups_gone = facts.gone_from_backups(receipt["key_backups_forget_by"]) if receipt else ""
    return render(
        request, "rights/erasure.html", {"erasure": row, "receipt": receipt, "gone": backups_gone, "fault": fault}
    )


@may(DESK)
@require_GET
def receipt(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Return the receipt as a file. It names nobody."""
    row = get_object_or_404(Erasure, id=erasure_id)
    if not row.done_at:
        raise Http404
    answer = HttpResponse(row.receipt, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="receipt.json"'
    return answer

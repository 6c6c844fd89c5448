"""The access log: who opened whose details, when and for what purpose (C2). Owners only; opens no person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from troth.core.purpose import Purpose, Reason
from troth.kit.roles import OWNERS, may
from troth.office import actor_names
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Person

_SIZE = 50


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One row of the page. An expired row has only a number."""

    number: int
    at: datetime | None
    actor: str
    action: str
    purpose: str
    people: int
    person: UUID | None
    """The one person whom the row concerns, if there is one and they still exist."""


_ACTIONS = {
    Reason.FILE_SUBMISSION: "Processed submissions",
    Reason.SEND_CONFIRMATION: "Emailed a confirmation link",
    Reason.SEND_CAMPAIGN: "Emailed a campaign",
    Reason.SEND_MAIL: "Emailed what your program or shop sent",
    Reason.SEND_ANSWER: "Emailed a reply",
    Reason.SEND_RIGHTS_LINK: "Emailed a link to personal data",
    Reason.SEND_EXPORT: "Emailed a data export",
    Reason.LIST_PEOPLE: "Viewed contact list",
    Reason.SHOW_RETAINED: "Showed what the law requires",
    Reason.KEEP_RETAINED: "Extended what the law requires",
    Reason.FIND_PERSON: "Searched people",
    Reason.SHOW_PERSON: "Viewed a person",
    Reason.LIST_HELD: "Viewed held mail",
    Reason.LIST_RECIPIENTS: "Viewed recipients of a campaign",
    Reason.LIST_MESSAGES: "Viewed inbox",
    Reason.READ_MESSAGES: "Read a conversation",
    Reason.CORRECT_PERSON: "Edited a person’s details",
    Reason.EXPORT_PERSON: "Compiled a data export",
    Reason.EXPORT_PEOPLE: "Exported contact list",
    Reason.IMPORT_PEOPLE: "Imported people from a file",
    Reason.ERASE_PERSON: "Deleted a person",
    Reason.REBUILD_INDEX: "Rebuilt the search index",
    Reason.SHOW_CONSENT: "Viewed a consent record",
    Reason.EXPORT_CONSENT: "Compiled a consent record",
}


def described(reason: Reason) -> str:
    """Return the action in words; a reason without words of its own gives its name."""
    return _ACTIONS.get(reason, reason.value.replace("_", " ").capitalize())


def _number(request: HttpRequest) -> int:
    text = request.GET.get("before", "")
    if not text:
        return 1 << 62
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Http404
    return int(text)


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the newest rows, 50 to a page; `before` continues with older ones, `proofs` includes those of proof runs."""
    before, proofs = _number(request), "proofs" in request.GET
    uses = LedgerRow.objects.all() if proofs else LedgerRow.objects.filter(proof=False)
    rows = list(uses.filter(number__lt=before).order_by("-number")[: _SIZE + 1])
    lines = list(_lines(rows[:_SIZE]))
    older = rows[_SIZE - 1].number if len(rows) > _SIZE else None
    context = {"lines": lines, "older": older, "later": before < 1 << 62, "proofs": proofs}
    return render(request, "office/access_log.html", context)


def _lines(rows: Sequence[LedgerRow]) -> Iterator[AccessRow]:
    uses = [(row.number, ledger.read(row)) for row in rows]
    single = {use.people[0] for _, use in uses if use is not None and len(use.people) == 1}
    ids = [UUID(bytes=person) for person in single]
    existing = set(Person.objects.filter(id__in=ids).values_list("id", flat=True))
    name_of = actor_names.names()
    for number, use in uses:
        if use is None:
            yield AccessRow(number, None, "", "Expired", "", 0, None)
            continue
        person = UUID(bytes=use.people[0]) if len(use.people) == 1 else None
        yield AccessRow(
            number,
            use.at,
            name_of(ledger.PROOF if use.canaries else use.actor),
            described(use.reason),
            "Identification" if use.purpose is Purpose.IDENTIFICATION else "Administration",
            use.count,
            person if person in existing else None,
        )


@may(OWNERS)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole hash chain and show the result. Takes about ten seconds for a million rows."""
    faults = [*keeper().heads.faults(), *ledger.verify_chain()]
    number, link = ledger.head()
    context = {
        "faults": faults[:20],
        "fault_count": len(faults),
        "faults_left": max(0, len(faults) - 20),
        "number": number,
        "link": link.hex(),
    }
    context["restored"] = keeper().heads.restored()
    return render(request, "office/access_log_verified.html", context)

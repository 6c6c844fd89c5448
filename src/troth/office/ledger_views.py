"""The ledger, readable: who opened what of whom, when and for what (C2). Owners only. Opens nobody."""

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
class Line:
    """One use, as the page shows it. Forgotten rows have only a number and a date."""

    number: int
    at: datetime | None
    who: str
    did: str
    purpose: str
    people: int
    person: UUID | None
    """The one person it was about, while they are still here."""


_DID = {
    Reason.FILE_SUBMISSION: "Filed what people sent",
    Reason.SEND_CONFIRMATION: "Mailed a request to confirm",
    Reason.SEND_ANSWER: "Mailed an answer",
    Reason.SEND_RIGHTS_LINK: "Mailed the link to what is kept",
    Reason.SEND_EXPORT: "Mailed what is kept",
    Reason.LIST_PEOPLE: "Looked at a page of the list",
    Reason.FIND_PERSON: "Looked for a person",
    Reason.SHOW_PERSON: "Looked at a person",
    Reason.LIST_HELD: "Looked at mails that were held",
    Reason.LIST_MESSAGES: "Looked at a page of messages",
    Reason.READ_MESSAGES: "Read messages",
    Reason.CORRECT_PERSON: "Corrected a person’s details",
    Reason.EXPORT_PERSON: "Put together what is kept of a person",
    Reason.EXPORT_PEOPLE: "Took the list along as a file",
    Reason.IMPORT_PEOPLE: "Took people in from a file",
    Reason.ERASE_PERSON: "Erased a person",
    Reason.REBUILD_INDEX: "Made the index anew",
    Reason.SHOW_CONSENT: "Looked at what a person agreed to",
    Reason.EXPORT_CONSENT: "Put together what a person agreed to",
}


def described(reason: Reason) -> str:
    """A use, in words. A reason without words of its own is told by its name."""
    return _DID.get(reason, reason.value.replace("_", " ").capitalize())


def _number(request: HttpRequest) -> int:
    asked = request.GET.get("before", "")
    if not asked:
        return 1 << 62
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        raise Http404
    return int(asked)


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The newest uses, 50 to a page; `before` goes on with older ones. Those of proof runs only where `proofs` asks."""
    before, proofs = _number(request), "proofs" in request.GET
    uses = LedgerRow.objects.all() if proofs else LedgerRow.objects.filter(proof=False)
    rows = list(uses.filter(number__lt=before).order_by("-number")[: _SIZE + 1])
    lines = list(_lines(rows[:_SIZE]))
    older = rows[_SIZE - 1].number if len(rows) > _SIZE else None
    context = {"lines": lines, "older": older, "later": before < 1 << 62, "proofs": proofs}
    return render(request, "office/ledger.html", context)


def _lines(rows: Sequence[LedgerRow]) -> Iterator[Line]:
    told = [(row.number, ledger.read(row)) for row in rows]
    alone = {use.people[0] for _, use in told if use is not None and len(use.people) == 1}
    here = set(Person.objects.filter(id__in=[UUID(bytes=who) for who in alone]).values_list("id", flat=True))
    name_of = actor_names.names()
    for number, use in told:
        if use is None:
            yield Line(number, None, "", "Forgotten at its end date", "", 0, None)
            continue
        person = UUID(bytes=use.people[0]) if len(use.people) == 1 else None
        yield Line(
            number,
            use.at,
            name_of(ledger.PROOF if use.canaries else use.actor),
            described(use.reason),
            "Identification" if use.purpose is Purpose.IDENTIFICATION else "Administration",
            use.count,
            person if person in here else None,
        )


@may(OWNERS)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Follow the whole chain and say whether it holds. Takes about ten seconds for a million rows."""
    faults = [*keeper().heads.faults(), *ledger.verify_chain()]
    number, link = ledger.head()
    context = {"faults": faults[:20], "more": max(0, len(faults) - 20), "number": number, "link": link.hex()}
    context["restored"] = keeper().heads.restored()
    return render(request, "office/ledger_verified.html", context)

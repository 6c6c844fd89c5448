"""What people may demand of their own record: see, export, correct, freeze, erase it (`rights.erasure`). Called by the
office, the shell and the worker; no request, no response."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.core.errors import TrothError
from troth.core.holdings import Part, Value
from troth.core.personal import each_detail
from troth.core.purpose import BASIC, Category, Reason
from troth.gate.email_kinds import title_of
from troth.gate.export import ExportDocument
from troth.gate.message import LetterError, recipient
from troth.gate.models import Delivery
from troth.newsletter.models import Request
from troth.rights import consent_receipt
from troth.rights import export_documents as exports
from troth.rights.holdings import holdings
from troth.vault.keeper import keeper
from troth.vault.legal_holds import RetainedRecord
from troth.vault.models import Erasure, Person, Record
from troth.vault.records import DETAILS, PENDING, Details

PERSON = "person"
"""Who asked, where it was the person themselves."""


class RightsRefused(TrothError):
    """What was asked cannot be done. Names nobody. `field`: which of the details is at fault, if one is."""

    def __init__(self, problem: str, *, mend: str = "", field: Category | None = None) -> None:
        super().__init__(problem, mend=mend)
        self.field = field


# -- export -----------------------------------------------------------------------------------------------------------


def parts(person: UUID, actor: UUID | str) -> list[Part]:
    """Return all that is kept of this person, opened and in the ledger: the details, then each room's parts."""
    parts = [part for part in _details(person, actor) if part.items]
    parts += [part for holding in holdings() for part in holding.export(person, actor) if part.items]
    parts += _retained(person, actor)
    mails = _mails(person)
    parts += [mails] if mails.items else []
    row = Person.with_canaries.filter(id=person).first()
    if row is not None and row.frozen_at is not None:
        parts.append(Part("frozen", "Processing restricted at your request", ({"since": row.frozen_at},)))
    return parts


def _details(person: UUID, actor: UUID | str) -> Iterator[Part]:
    keys = frozenset(category.value for category in BASIC)
    for kind, title in (
        (DETAILS, "Your contact details"),
        (PENDING, "Contact details that you have not confirmed yet"),
    ):
        opened = keeper().open_records(Reason.EXPORT_PERSON, actor=actor, person_ids=[person], kind=kind)
        items = [_item(content) for content in opened.get(person, []) if isinstance(content, Details)]
        yield Part(kind, title, tuple(items), keys)


def _retained(person: UUID, actor: UUID | str) -> Iterator[Part]:
    """What a law requires to be kept, which stays if they are erased: a part for each duty."""
    return _retained_parts(keeper().holds.of_person(Reason.EXPORT_PERSON, actor, person))


def retained(number: str, actor: UUID | str) -> ExportDocument | None:
    """What a law requires to be kept under this number, written out for who may demand it; None if there is nothing.
    It is found although its person was erased, and by nothing else."""
    opened = keeper().holds.find(actor, number)
    site = settings.TROTH_CONFIG.site
    parts = list(_retained_parts(opened))
    return exports.write(parts, site=site.name, url=site.url, at=clock.now()) if parts else None


def keep_longer(number: str, until: date, actor: UUID | str) -> int:
    """Keep what has this number until a later day; return how many records. Raises `RetentionRefused`."""
    opened = keeper().holds.find(actor, number)
    with transaction.atomic():
        for record in opened:
            keeper().holds.prolong(actor, record.id, until)
    return len(opened)


def _retained_parts(opened: Sequence[RetainedRecord]) -> Iterator[Part]:
    keys = frozenset({"text", *(category.value for category in BASIC)})
    for duty in dict.fromkeys(record.duty for record in opened):
        items = tuple(_retained_item(record) for record in opened if record.duty is duty)
        yield Part(duty.name, f"{duty.title}, kept although you delete your data ({duty.law})", items, keys)


def _retained_item(record: RetainedRecord) -> dict[str, Value]:
    content = record.content
    item: dict[str, Value] = {
        "number": content.number,
        "at": datetime.fromtimestamp(content.at_ms / 1000, UTC),
        "kept_until": record.until.isoformat(),
    }
    own = {
        name: getattr(content, name) for name in content.__struct_fields__ if name not in ("number", "at_ms", "named")
    }
    return item | own | _item(content.named)


_GONE = {Delivery.State.SENT: "sent", Delivery.State.UNCERTAIN: "perhaps_sent"}


def _mails(person: UUID) -> Part:
    """Which mails went to them. Not what was held or dropped: an export must not tell what the leak index saw."""
    rows = Delivery.with_canaries.filter(person=person, state__in=_GONE).order_by("created_at", "id")
    return Part("mails", "Emails that we sent you", tuple(_mail(row) for row in rows))


def _mail(row: Delivery) -> dict[str, Value]:
    return {"mail": title_of(row.kind), _GONE[Delivery.State(row.state)]: row.done_at or row.created_at}


def _item(details: Details) -> dict[str, Value]:
    return {category.value: value for category, value in each_detail(details) if value is not None}


def export(person: UUID, actor: UUID | str, *, signed: bool = False) -> ExportDocument | None:
    """What is kept of this person, written out; None where there is nobody. `signed`: with a signed receipt of their
    consent, for which only the worker has the key."""
    if not Person.with_canaries.filter(id=person).exists():
        return None
    site = settings.TROTH_CONFIG.site
    everything = parts(person, actor)
    if signed:
        everything += consent_receipt.parts(everything)
    return exports.write(everything, site=site.name, url=site.url, at=clock.now())


# -- correct ----------------------------------------------------------------------------------------------------------


def details_of(person: UUID, reason: Reason, actor: UUID | str) -> Details | None:
    """Return the person's details, opened for `reason`; None where there are none."""
    return details_of_all([person], reason, actor).get(person)


def details_of_all(people: Sequence[UUID], reason: Reason, actor: UUID | str) -> dict[UUID, Details]:
    """Return the details of those of these people who have any, opened for `reason` with one row in the ledger."""
    opened = keeper().open_records(reason, actor=actor, person_ids=people)
    return {person_id: newest for person_id, contents in opened.items() if isinstance(newest := contents[-1], Details)}


def correct(person: UUID, details: Details, actor: UUID | str) -> None:
    """Put `details` in the place of what is kept. Raises `RightsRefused`; then nothing has changed. A sign-up that
    waits under an address that is no longer the person's is over."""
    try:
        recipient(details.email)
    except LetterError as error:
        raise RightsRefused("Email cannot be sent to this address.", field=Category.EMAIL) from error
    with transaction.atomic():
        row = _locked(person)
        owners = [owner for owner in _owners(details, actor) if owner != person]
        if owners:
            raise RightsRefused("This address belongs to another person in your records.", field=Category.EMAIL)
        before = details_of(person, Reason.CORRECT_PERSON, actor)
        vault = keeper()
        match = vault.held(row)
        record = Record.objects.filter(person=person, kind=DETAILS).order_by("created_at", "id").last()
        if record is None:
            vault.record(match, DETAILS, details).save(force_insert=True)
        else:
            vault.replace(match, record, details)
            record.save(update_fields=["box"])
        if before is None or before.email != details.email:
            waiting = Request.objects.filter(subscription__person=person, state=Request.State.OPEN)
            waiting.update(state=Request.State.OVER)
        vault.index_details(match, details)


def _owners(details: Details, actor: UUID | str) -> Sequence[UUID]:
    owner = keeper().find(actor, details.email)
    return [owner] if owner else []


def _locked(person: UUID) -> Person:
    """The person, held against everybody else until the transaction ends. Raises `RightsRefused`."""
    row = Person.objects.select_for_update().filter(id=person).first()
    if row is None or Erasure.objects.filter(person=person).exists():
        raise RightsRefused("This person has been deleted, or is being deleted.")
    return row


# -- freeze -----------------------------------------------------------------------------------------------------------


def freeze(person: UUID) -> None:
    """Leave this person alone from now on: nothing is sent to them but what they ask of their own record."""
    with transaction.atomic():
        row = _locked(person)
        if row.frozen_at is None:
            row.frozen_at = clock.now()
            row.save(update_fields=["frozen_at"])


def unfreeze(person: UUID) -> None:
    """Lift the restriction."""
    with transaction.atomic():
        row = _locked(person)
        row.frozen_at = None
        row.save(update_fields=["frozen_at"])


# -- erase ------------------------------------------------------------------------------------------------------------


def ask_to_erase(person: UUID, by: str, *, request_id: UUID | None = None) -> Erasure | None:
    """Have this person erased; the worker does it within a second. None where there is nobody. `by`: `PERSON`, or the
    operator's opaque id. `told`: the rights request whose page is to show the receipt."""
    with transaction.atomic():
        if not Person.objects.select_for_update().filter(id=person).exists():
            return None
        erasure, created = Erasure.objects.get_or_create(person=person, defaults={"asked_by": by, "told": request_id})
        if not created and request_id is not None and erasure.told is None:
            erasure.told = request_id
            erasure.save(update_fields=["told"])
    return erasure


def must_keep(person: UUID) -> list[str]:
    """Return what the law wants kept of this person although they are erased, in words."""
    declared = [words for holding in holdings() for words in holding.must_keep(person)]
    return declared + keeper().holds.words(person)


def being_erased(person: UUID) -> UUID | None:
    """Return the erasure of this person that waits to be done; None where there is none."""
    return Erasure.objects.filter(person=person).values_list("id", flat=True).first()

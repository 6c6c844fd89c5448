"""Proofs of C2: details serve administration and identification, and nothing else; every use is in the ledger.

May touch: the database through the keeper; the program's own source (reading).
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import troth
from troth.core.purpose import Purpose, Reason
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments import canary_visit
from troth.vault import ledger
from troth.vault.blind_index import EMAIL
from troth.vault.errors import RecordDamaged, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Record
from troth.vault.records import ANSWER, CONSENT, DETAILS, KINDS, MESSAGE, PENDING

_PURPOSES = ("administration", "identification")
_IDENTIFYING = ("show_consent", "export_consent")
_ADMINISTERING = (
    "file_submission", "send_confirmation", "send_answer", "send_rights_link", "send_export", "list_people",
    "find_person", "show_person", "list_messages", "read_messages", "correct_person", "export_person",
    "export_people", "import_people", "erase_person", "rebuild_index", "list_held",
)  # fmt: skip
"""Why anybody may be opened, written down once more: a new reason, or one that serves another purpose, is seen here."""
_SERVES = {DETAILS: 0, PENDING: 0, MESSAGE: 0, ANSWER: 0, CONSENT: 1}


def there_are_two_purposes(scene: Scene) -> Verdict:
    """The program knows two purposes; each reason and each kind of record serves the one that it should."""
    if tuple(one.value for one in Purpose) != _PURPOSES:
        return Verdict.broken("The program knows another purpose than administration and identification.")
    wanted = {**dict.fromkeys(_ADMINISTERING, "administration"), **dict.fromkeys(_IDENTIFYING, "identification")}
    odd = [one.value for one in Reason if wanted.get(one.value) != one.purpose.value]
    odd += [kind for kind, (_, purpose) in KINDS.items() if kind not in _SERVES]
    odd += [kind for kind, at in _SERVES.items() if KINDS[kind][1].value != _PURPOSES[at]]
    if odd:
        return Verdict.broken(
            f"It serves another purpose than it was made for, or none that is known: {', '.join(odd)}."
        )
    wrong = 0 if scene.light else Record.with_canaries.exclude(purpose__in=_PURPOSES).count()
    if wrong:
        return Verdict.broken(f"{wrong} records were filed for another purpose.")
    return Verdict.kept(f"Two purposes; {len(wanted)} reasons to open a record, each of which serves one of them.")


def another_purpose_opens_nothing(scene: Scene) -> Verdict:
    """An invented person's details do not open for identification, nor what they agreed to for administration: not by
    the keeper, by neither of its ways, and not by the person's own key."""
    vault = keeper()
    for canary in scene.canaries:
        rows = list(Record.with_canaries.filter(person=canary.person).select_related("person"))
        for row in rows:
            other = Reason.SHOW_CONSENT if row.purpose == _PURPOSES[0] else Reason.SHOW_PERSON
            if _opens(lambda: vault.open_by_id(other, actor=ledger.PROOF, record_ids=[row.id])):  # noqa: B023
                return Verdict.broken(f"The keeper opened {row.kind} for {other.purpose.value}.")
            if _opens(lambda: vault.open_records(other, actor=ledger.PROOF, person_ids=[canary.person], kind=row.kind)):  # noqa: B023
                return Verdict.broken(f"The keeper opened {row.kind} for {other.purpose.value}.")
            key = vault.store.key(row.person.slot, row.person_id)
            for purpose in Purpose:
                own = purpose.value == row.purpose
                if not own and _opens(lambda: _unboxed(key, purpose, row)):  # noqa: B023
                    return Verdict.broken(f"A box of {row.kind} opens for {purpose.value}.")
        if not rows:
            return Verdict.unproven("An invented person has no records.")
    return Verdict.kept(f"Records of {len(scene.canaries)} invented people open for no other purpose.")


def _unboxed(key: bytes, purpose: Purpose, row: Record) -> object:
    return keeper().boxer.open(key, purpose, row.person_id, row.kind, row.id, bytes(row.box))


def _opens(tried: Callable[[], object]) -> bool:
    try:
        return bool(tried())
    except (WrongPurpose, RecordDamaged):
        return False


# -- the ledger -------------------------------------------------------------------------------------------------------


def every_opening_is_written(scene: Scene) -> Verdict:
    """Each way of opening or finding an invented person adds a row that names them, before anything is opened; the
    running worker's own filing is there, too; every row names a known reason; the chain holds."""
    canary = next(one for one in scene.canaries if not one.frozen)
    for what, reason, way in _ways(canary.person, scene):
        number, _ = ledger.head()
        way()
        if not _is_written(number, canary.person, reason):
            return Verdict.broken(f"An invented person was {what}, and the ledger does not say so.")
        with _no_ledger():
            if _opens_all_the_same(way):
                return Verdict.broken(f"An invented person was {what} before it was written down.")
    told = canary_visit.called(scene)
    # Their sign-up, what it brought when it was confirmed, the details that may not leave from then on, their message.
    filed = 4 if scene.config.contact.enabled else 3
    if not told.trouble and _filings(told.ledger_before, told.canary.person) < filed:
        return Verdict.broken("The worker filed an invented visitor, and the ledger does not say so.")
    if lost := keeper().heads.faults():
        return Verdict.broken(f"Row {lost[0].number} of the ledger, which an earlier run saw, is gone or another one.")
    keeper().heads.note()  # the next run asks for this very row
    if scene.light:
        return Verdict.kept("Each way of opening an invented person is in the ledger, and first.")
    faults = ledger.verify_chain()
    if faults:
        return Verdict.broken(f"The ledger’s chain fails at {len(faults)} places, first at row {faults[0].number}.")
    odd = _odd_uses()
    if odd:
        return Verdict.broken(f"Row {odd} of the ledger has no reason that is known.")
    return Verdict.kept(f"Each way of opening is in the ledger, and first; its chain of {ledger.head()[0]} rows holds.")


def _ways(who: uuid.UUID, scene: Scene) -> Iterator[tuple[str, Reason, Callable[[], Any]]]:
    vault = keeper()
    record = Record.with_canaries.filter(person=who, kind=DETAILS).values_list("id", flat=True)[0]
    email = next(one.email for one in scene.canaries if one.person == who)
    show, find = Reason.SHOW_PERSON, Reason.FIND_PERSON
    yield "opened", show, lambda: vault.open_records(show, actor=ledger.PROOF, person_ids=[who])
    yield "opened by a record", show, lambda: vault.open_by_id(show, actor=ledger.PROOF, record_ids=[record])
    yield "looked for", find, lambda: vault.find(ledger.PROOF, email)
    yield "looked for by a detail", find, lambda: vault.find_all(ledger.PROOF, EMAIL, email)
    yield "looked for by a digest", find, lambda: vault.find_by_digest(ledger.PROOF, vault.email_digest(email))


def _is_written(since: int, who: uuid.UUID, reason: Reason) -> bool:
    """Whether the ledger says behind this row that a proof did it; others use it in the same moments."""
    uses = (ledger.read(row) for row in LedgerRow.objects.filter(number__gt=since))
    return any(
        use is not None and use.actor == ledger.PROOF and use.people == [who.bytes] and use.reason is reason
        for use in uses
    )


class _NotWritten(Exception):
    """The ledger cannot be written."""


@contextmanager
def _no_ledger() -> Iterator[None]:
    """For a moment, in this process, the ledger cannot be written."""

    def fails(*_: object) -> int:
        raise _NotWritten

    written, ledger.write = ledger.write, fails  # type: ignore[assignment]
    try:
        yield
    finally:
        ledger.write = written


def _opens_all_the_same(way: Callable[[], Any]) -> bool:
    vault = keeper()
    before, opened = vault.boxer.open, list[int]()

    def noted(*arguments: Any) -> Any:
        opened.append(1)
        return before(*arguments)

    vault.boxer.open = noted  # type: ignore[assignment,method-assign]
    try:
        way()
    except _NotWritten:
        return bool(opened)
    finally:
        del vault.boxer.open
    return True


def _filings(since: int, person: uuid.UUID) -> int:
    uses = (ledger.read(row) for row in LedgerRow.objects.filter(number__gt=since))
    return sum(1 for use in uses if use and use.reason is Reason.FILE_SUBMISSION and person.bytes in use.people)


def _odd_uses() -> int:
    """The number of the first row that cannot be read as a use for a known reason; 0 where there is none."""
    for row in LedgerRow.objects.order_by("-number")[:10_000].iterator():
        try:
            use = ledger.read(row)
        except ValueError:  # msgspec's, for a reason that is not on the list
            return row.number
        if use and use.purpose is not use.reason.purpose:
            return row.number
    return 0


# -- the source -------------------------------------------------------------------------------------------------------

_OPENERS = re.compile(rb"\b[Bb]oxer\b|\bstore\.key\(")
_MAY_OPEN = (
    "vault/keeper.py",
    "vault/records.py",
    "vault/bulk_filing.py",
    "proofs/contact_purpose.py",
    "policy/promises.py",
)


def nobody_else_opens(scene: Scene) -> Verdict:
    """In the whole program as it lies here, no line outside the vault takes a person's key or opens a box."""
    root = Path(troth.__file__).parent
    sources = sorted(root.rglob("*.py"))
    found = [
        place
        for path in sources
        if (place := str(path.relative_to(root))) not in _MAY_OPEN and _OPENERS.search(path.read_bytes())
    ]
    if found:
        return Verdict.broken(f"Records are opened past the keeper in {', '.join(found[:3])}.")
    return Verdict.kept(f"In {len(sources)} files of the program only the vault takes people’s keys.")

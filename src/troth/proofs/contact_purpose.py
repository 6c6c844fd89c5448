"""Proofs of C2: details serve administration and identification only, and every use is in the ledger. May touch: the
database through the keeper; the program's own source (reading)."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import troth
from troth.core.purpose import Purpose, Reason
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_campaign, canary_mail, canary_visit
from troth.vault import ledger
from troth.vault.blind_index import EMAIL
from troth.vault.errors import RecordDamaged, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Record
from troth.vault.records import ANSWER, CONSENT, DETAILS, KINDS, MAIL_DATA, MESSAGE, PENDING, Consent

_PURPOSES = ("administration", "identification")
_IDENTIFYING = ("show_consent", "export_consent")
_ADMINISTERING = (
    "file_submission", "send_confirmation", "send_answer", "send_rights_link", "send_export", "list_people",
    "find_person", "show_person", "list_messages", "read_messages", "correct_person", "export_person",
    "export_people", "import_people", "erase_person", "rebuild_index", "list_held",
    "list_recipients", "send_campaign", "send_mail", "show_retained", "keep_retained",
)  # fmt: skip
"""Reasons to open records, repeated here on purpose: a new one, or one that changes its purpose, is noticed."""
_SERVES = {DETAILS: 0, PENDING: 0, MESSAGE: 0, ANSWER: 0, CONSENT: 1, MAIL_DATA: 0}


@proof("purpose.two")
def purposes_are_two(scene: Scene) -> Verdict:
    """Check that there are two purposes, and that each reason and each kind of record serves the right one."""
    if tuple(purpose.value for purpose in Purpose) != _PURPOSES:
        return Verdict.broken("The program has a purpose other than administration and identification.")
    expected = {**dict.fromkeys(_ADMINISTERING, "administration"), **dict.fromkeys(_IDENTIFYING, "identification")}
    unexpected = [reason.value for reason in Reason if expected.get(reason.value) != reason.purpose.value]
    unexpected += [kind for kind, (_, purpose) in KINDS.items() if kind not in _SERVES]
    unexpected += [kind for kind, at in _SERVES.items() if KINDS[kind][1].value != _PURPOSES[at]]
    if unexpected:
        return Verdict.broken(
            f"Used for another purpose than declared, or for an unknown one: {', '.join(unexpected)}."
        )
    wrong = 0 if scene.light else Record.with_canaries.exclude(purpose__in=_PURPOSES).count()
    if wrong:
        return Verdict.broken(f"{wrong} records were stored for another purpose.")
    return Verdict.kept(
        f"There are two purposes and {len(expected)} reasons to open a record, each for one of the purposes."
    )


@proof("purpose.wrong")
def wrong_purpose_opens_nothing(scene: Scene) -> Verdict:
    """Check that a canary's details do not open for identification, nor their consent for administration: neither
    through the keeper, in both of its ways, nor with the person's own key."""
    vault = keeper()
    for canary in scene.canaries:
        rows = list(Record.with_canaries.filter(person=canary.person).select_related("person"))
        for row in rows:
            wrong_reason = Reason.SHOW_CONSENT if row.purpose == _PURPOSES[0] else Reason.SHOW_PERSON
            if _opens(lambda: vault.open_by_id(wrong_reason, actor=ledger.PROOF, record_ids=[row.id])):  # noqa: B023
                return Verdict.broken(f"A record ({row.kind}) could be opened for {wrong_reason.purpose.value}.")
            ids, kind = [canary.person], row.kind
            if _opens(lambda: vault.open_records(wrong_reason, actor=ledger.PROOF, person_ids=ids, kind=kind)):  # noqa: B023
                return Verdict.broken(f"A record ({row.kind}) could be opened for {wrong_reason.purpose.value}.")
            key = vault.store.key(row.person.slot, row.person_id)
            for purpose in Purpose:
                own = purpose.value == row.purpose
                if not own and _opens(lambda: _decrypted(key, purpose, row)):  # noqa: B023
                    return Verdict.broken(f"A record ({row.kind}) can be decrypted for {purpose.value}.")
        if not rows:
            return Verdict.unproven("A test person has no records.")
    return Verdict.kept(f"The records of {len(scene.canaries)} test people could not be opened for any other purpose.")


def _decrypted(key: bytes, purpose: Purpose, row: Record) -> object:
    return keeper().boxer.open(key, purpose, row.person_id, row.kind, row.id, bytes(row.box))


def _opens(tried: Callable[[], object]) -> bool:
    try:
        return bool(tried())
    except (WrongPurpose, RecordDamaged):
        return False


# -- the ledger -------------------------------------------------------------------------------------------------------


@proof("purpose.ledger")
def every_access_is_logged(scene: Scene) -> Verdict:
    """Check that each way of opening or finding a canary is logged beforehand, that the worker's own filing is logged
    too, that every row has a known reason, and that the chain is intact."""
    canary = next(canary for canary in scene.canaries if not canary.frozen)
    for action, reason, attempt in _accesses(canary.person, scene):
        number, _ = ledger.head()
        attempt()
        if not _is_logged(number, canary.person, reason):
            return Verdict.broken(f"A test person was {action}, but the access log does not show it.")
        with _no_ledger():
            if _opens_unlogged(attempt):
                return Verdict.broken(f"A test person was {action} before the access was logged.")
    call = canary_visit.called(scene)
    # Their sign-up, what it brought when it was confirmed, the details that may not leave from then on, their message.
    filed = 4 if scene.config.contact.enabled else 3
    if not call.trouble and _filings(call.ledger_before, call.canary.person) < filed:
        return Verdict.broken("The worker stored a test visitor, but the access log does not show it.")
    if lost := keeper().heads.faults():
        return Verdict.broken(
            f"Row {lost[0].number} of the access log, which an earlier run saw, is missing or was changed."
        )
    keeper().heads.note()  # the next run asks for this very row
    if scene.light:
        return Verdict.kept("Every way of opening a test person’s data was logged beforehand.")
    faults = ledger.verify_chain()
    if faults:
        return Verdict.broken(
            f"The access log’s hash chain is broken in {len(faults)} places, first at row {faults[0].number}."
        )
    unreadable = _first_unreadable_row()
    if unreadable:
        return Verdict.broken(f"Row {unreadable} of the access log has an unknown reason.")
    return Verdict.kept(
        f"Every way of opening data was logged beforehand; the access log’s chain of {ledger.head()[0]} rows is intact."
    )


def _accesses(person: uuid.UUID, scene: Scene) -> Iterator[tuple[str, Reason, Callable[[], Any]]]:
    vault = keeper()
    record = Record.with_canaries.filter(person=person, kind=DETAILS).values_list("id", flat=True)[0]
    email = next(canary.email for canary in scene.canaries if canary.person == person)
    show, find = Reason.SHOW_PERSON, Reason.FIND_PERSON
    yield "opened", show, lambda: vault.open_records(show, actor=ledger.PROOF, person_ids=[person])
    yield "opened by record", show, lambda: vault.open_by_id(show, actor=ledger.PROOF, record_ids=[record])
    yield "looked up", find, lambda: vault.find(ledger.PROOF, email)
    yield "looked up by a detail", find, lambda: vault.find_all(ledger.PROOF, EMAIL, email)
    yield "looked up by a hash", find, lambda: vault.find_by_digest(ledger.PROOF, vault.email_digest(email))


def _is_logged(since: int, person: uuid.UUID, reason: Reason) -> bool:
    """Return whether a row after this one logs the proof's access; others log accesses at the same time."""
    uses = (ledger.read(row) for row in LedgerRow.objects.filter(number__gt=since))
    return any(
        use is not None and use.actor == ledger.PROOF and use.people == [person.bytes] and use.reason is reason
        for use in uses
    )


class _NotWritten(Exception):
    """Stands for a ledger that cannot be written."""


@contextmanager
def _no_ledger() -> Iterator[None]:
    """Make the ledger unwritable in this process for the length of the block."""

    def fails(*_: object) -> int:
        raise _NotWritten

    written, ledger.write = ledger.write, fails  # type: ignore[assignment]
    try:
        yield
    finally:
        ledger.write = written


def _opens_unlogged(attempt: Callable[[], Any]) -> bool:
    vault = keeper()
    before, opened = vault.boxer.open, list[int]()

    def noted(*arguments: Any) -> Any:
        opened.append(1)
        return before(*arguments)

    vault.boxer.open = noted  # type: ignore[assignment,method-assign]
    try:
        attempt()
    except _NotWritten:
        return bool(opened)
    finally:
        del vault.boxer.open
    return True


def _filings(since: int, person: uuid.UUID) -> int:
    uses = (ledger.read(row) for row in LedgerRow.objects.filter(number__gt=since))
    return sum(1 for use in uses if use and use.reason is Reason.FILE_SUBMISSION and person.bytes in use.people)


def _first_unreadable_row() -> int:
    """Return the number of the newest row that is not a use for a known reason; 0 if there is none."""
    for row in LedgerRow.objects.order_by("-number")[:10_000].iterator():
        try:
            use = ledger.read(row)
        except ValueError:  # msgspec's, for a reason that is not on the list
            return row.number
        if use and use.purpose is not use.reason.purpose:
            return row.number
    return 0


# -- leaving ----------------------------------------------------------------------------------------------------------


@proof("purpose.left")
def unsubscribing_is_obeyed(scene: Scene) -> Verdict:
    """Check that no campaign is written to a canary who left, paused, has not confirmed or did not choose its topic,
    even if it was chosen as a recipient before; that no program can email by API who left or has not confirmed, even
    if it ordered the email before, or is restricted; that opening a link changes nothing; and that one click
    unsubscribes.
    """
    canary = next(canary for canary in scene.canaries if canary.confirmed)
    for why, is_written in canary_campaign.unwanted(scene, canary):
        if is_written:
            return Verdict.broken(f"A campaign was written to a test person who {why}.")
    if not canary_campaign.gets_it(scene, canary):
        return Verdict.unproven("No campaign is written to a test person who is subscribed.")
    if why := _who_gets_programs_emails(scene):
        return Verdict.broken(f"A program could send an email to a test person who {why}.")
    call = canary_visit.called(scene)
    if call.trouble:
        return Verdict.unproven(call.trouble)
    if any(status != HTTPStatus.OK for status in call.opened):
        return Verdict.unproven(f"A link’s page returned status {max(call.opened)}.")
    confirmed = [consent for consent in call.consents if isinstance(consent, Consent) and consent.step == "confirmed"]
    if call.before_opening != call.after_opening or any(consent.at_ms < call.pressed_ms for consent in confirmed):
        return Verdict.broken("A test visitor only opened the links of an email, and their subscription changed.")
    if not canary_visit.leaves(scene, call):
        return Verdict.broken("A test visitor unsubscribed, and is still on the list.")
    if canary_campaign.gets_it(scene, call.canary):
        return Verdict.broken("A campaign was written to a test visitor who had unsubscribed.")
    return Verdict.kept(
        "A test visitor unsubscribed with one click, and left; opening links changed nothing. No campaign was written "
        "to test people who had left, paused, not confirmed or not chosen its topic; programs could not email "
        "them either."
    )


def _who_gets_programs_emails(scene: Scene) -> str:
    """Return of what kind of test person an email by API is taken although it must not be; empty if of none."""
    # Whom an operator answered is known by that, whatever became of their subscription.
    subscriber = min(scene.canaries, key=lambda canary: (not canary.confirmed, canary.has_written))
    return next((why for why, is_taken in canary_mail.unwanted(subscriber) if is_taken), "")


# -- the source -------------------------------------------------------------------------------------------------------

_OPENERS = re.compile(rb"\b[Bb]oxer\b|\bstore\.(hold_)?key\(")
_MAY_OPEN = (
    "vault/keeper.py",
    "vault/legal_holds.py",
    "vault/records.py",
    "vault/bulk_filing.py",
    "proofs/contact_erased.py",
    "proofs/contact_purpose.py",
    "policy/promises.py",
)


@proof("purpose.keeper")
def only_vault_opens_records(scene: Scene) -> Verdict:
    """Check that no code outside the vault takes a person's key or decrypts a record."""
    root = Path(troth.__file__).parent
    sources = sorted(root.rglob("*.py"))
    places = [
        place
        for path in sources
        if (place := str(path.relative_to(root))) not in _MAY_OPEN and _OPENERS.search(path.read_bytes())
    ]
    if places:
        return Verdict.broken(f"Code outside the vault opens records: {', '.join(places[:3])}.")
    return Verdict.kept(f"Of the program’s {len(sources)} source files, only the vault’s use people’s keys.")

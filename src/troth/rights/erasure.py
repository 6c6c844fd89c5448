"""To erase a person: destroy their key first, then all that it opened, then say so in a signed receipt (WALL 2).

    1  open the details once more, to leave the keyed mark of the address; note in the row what will go
    2  remove what lies of them outside the database: answers in `public/`, envelopes that were set aside
    3  note them as forgotten, overwrite their key, clear the indexes, delete the rows (`keeper.erase`)
    4  cut the database's log; sign the receipt; the row of the erasure forgets whom it was about

Each step may be repeated: an erasure that was killed anywhere is taken up again before anything else is filed, so
whoever comes back in the meantime is somebody new. Runs in the worker, or in the shell under the worker's lock.
May touch: the database, `keys/people/`, `public/answers/`.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.core import clock, facts
from troth.core.purpose import Reason
from troth.core.rooms import rooms
from troth.gate.models import Delivery
from troth.rights import answer_files, services
from troth.rights.models import RightsRequest
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person, Record
from troth.vault.records import KINDS

type Sweep = Callable[[bytes], int]
"""Removes what was set aside and was typed under the address with this digest; returns how many."""
_REMAINS = (
    "A keyed hash of the email address, which can’t be reversed; anyone who holds this site’s keys can test an address "
    "against it. It keeps an import from adding the address again. If the person signs up again, they are treated as "
    "somebody new.",
    "A random ID, so that a restored backup deletes the record again. For a time, the random IDs of emails to them, in "
    "the journal of sent emails.",
    "In the access log: that a random ID was viewed, when and why. It no longer leads to anybody.",
)
_RETAINED = (
    "Of what the law requires: a keyed hash of each record’s number, by which alone it is found, and of the email "
    "address, phone number and postal address in it, which stops emails to others that contain them. Until the day "
    "that is stated; then its key is destroyed, and backups of the keys forget it after {days} more days."
)
_WORDS = {
    "details": "Contact details",
    "mails": "Email delivery records",
    "aside": "Failed items (encrypted submissions)",
}


def waiting() -> list[Erasure]:
    """Return erasures that are not done, the oldest first."""
    return list(Erasure.objects.filter(done_at=None).order_by("asked_at", "id"))


def perform(erasure: Erasure, sweep: Sweep) -> str:
    """Do it, or finish what an earlier try began; returns the receipt. Safe to repeat after a crash at any step."""
    person_id = erasure.person
    if person_id is not None:
        _prepare(erasure, person_id, sweep)
        _destroy(person_id)
        keeper().tidy()
    return _finish(erasure)


def _prepare(erasure: Erasure, person_id: UUID, sweep: Sweep) -> None:
    """All that needs the key, while it is there; what will go is noted in the row."""
    details = services.details_of(person_id, Reason.ERASE_PERSON, erasure.asked_by)
    aside = 0
    if details is not None:
        keeper().suppress([details.email])
        for room in rooms():
            if room.forget_address is not None:
                room.forget_address(person_id, details.email)
        aside = sweep(keeper().email_digest(details.email))
    elif erasure.receipt:
        return  # an earlier try got as far as the key: what it noted stands
    erasure.receipt = json.dumps({"went": _went(person_id, aside), "kept_by_law": services.must_keep(person_id)})
    erasure.save(update_fields=["receipt"])


def _went(person_id: UUID, aside: int) -> dict[str, int]:
    counted = Counter(Record.with_canaries.filter(person=person_id).values_list("kind", flat=True))
    counted.update(mails=Delivery.with_canaries.filter(person=person_id).count(), aside=aside)
    words = _WORDS | {kind: words for room in rooms() for kind, words in room.record_words.items()}
    return {words.get(kind, kind): counted[kind] for kind in (*KINDS, "mails", "aside") if counted[kind]}


def _destroy(person_id: UUID) -> None:
    """The key, then the rows. Their row is held meanwhile, so that nobody files or indexes anything beside us."""
    answer_files.remove(RightsRequest.with_canaries.filter(person=person_id).values_list("id", flat=True))
    with transaction.atomic():
        list(Person.with_canaries.select_for_update().filter(id=person_id).values_list("id"))
        keeper().erase([person_id])


def _of_the_law(draft: Mapping[str, object]) -> list[str]:
    days = settings.TROTH_CONFIG.backup.keys_days
    return [_RETAINED.format(days=days)] if draft.get("kept_by_law") else []


def _finish(erasure: Erasure) -> str:
    now = clock.now()
    draft = json.loads(erasure.receipt or "{}")
    config = settings.TROTH_CONFIG
    statement = {
        "site": {"name": config.site.name, "url": config.site.url},
        "erasure": str(erasure.id),
        "asked_by": "the person" if erasure.asked_by == services.PERSON else "the operator",
        "asked_at": erasure.asked_at.isoformat(timespec="seconds"),
        "erased_at": now.isoformat(timespec="seconds"),
        "went": draft.get("went", {}),
        "kept_by_law": draft.get("kept_by_law", []),
        "remains": [*_REMAINS, *_of_the_law(draft), *([facts.CHOICE_KEPT] if config.audience.enabled else [])],
        "data_backups_forget": "with the backups of the keys: without the key nothing in them can be read",
        "key_backups_forget_by": (now + timedelta(days=config.backup.keys_days)).date().isoformat(),
    }
    receipt = signing_keys.sign_receipt(statement)
    if erasure.told is not None:
        answer_files.write_receipt(erasure.told, receipt)
    Erasure.objects.filter(id=erasure.id).update(receipt=receipt, person=None, done_at=now)
    keeper().tidy()
    return receipt

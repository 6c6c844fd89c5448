"""Brings restored data up to date before they are used: no later deletion is undone, no email is sent twice.

In this order: upgrade the database; delete deleted people again; rebuild the index; process what is still in the spool,
except for people deleted since; mark sent emails as sent and unsubscribed people as unsubscribed. Each step can be
repeated. Runs in the stage, with Django pointed at it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings

from troth.backup.database_snapshot import Progress
from troth.backup.merge_keys import Joined
from troth.core import frames
from troth.core.ids import made_at_ms
from troth.core.intake_counts import Count
from troth.core.personal import EmailAddress
from troth.gate import causes, outbox
from troth.gate.sent_log import SentJournal
from troth.newsletter import services as newsletter
from troth.rights.holdings import dealt_with
from troth.vault.keeper import keeper
from troth.vault.models import Person, SeenEntry
from troth.worker.intake import Intake, Opened, position
from troth.worker.migrate import check_schema, make_changes
from troth.worker.spool_reader import SpoolPosition, next_batch


@dataclass(slots=True)
class Mended:
    """What the steps found. Counts of people, mails and entries."""

    people: int = 0
    erased_again: int = 0
    lost: int = 0
    """People who came after the backup: their keys are there, their records are not."""
    lost_by_law: int = 0
    """Keys of records required by law, filed after the backup: the records are not there."""
    mails: dict[str, int] = field(default_factory=dict)
    """What became of mails that a blind copy would send, by state."""
    left_again: int = 0
    filed: int = 0
    """Entries that the spool still had."""
    left_out: int = 0
    """Of these, entries of people who have been erased since."""
    own_store: bool = True
    """The key store is the site's own: it knows everybody who was erased. The backup's knows those of before."""


@dataclass(frozen=True, slots=True)
class LostSiteFacts:
    """What is known of the life that is lost."""

    joined: Joined
    complete: bool
    """The journal tells every mail that went since the backup."""
    filed_to: SpoolPosition | None
    """How far that life had filed the spool, where its database can still say."""


def migrate() -> None:
    """Upgrade the database to this version."""
    make_changes()
    check_schema()


def mend(context: LostSiteFacts, progress: Progress) -> Mended:
    """Do all steps but the first."""
    vault, mended = keeper(), Mended(own_store=context.joined.own_store)
    vault.bind()
    vault.check()
    vault.heads.note(restored=True)  # an older ledger, by right
    vault.index.restore_suppressed(context.joined.marks)
    mended.erased_again = vault.forget_again()
    vault.rebuild_index(dealt_with, progress=lambda count, total: progress("finding people again", count, total))
    causes.hush_again()
    present, without = Person.with_canaries.count(), _without_records()
    _file_rest(context, mended, progress)
    deeds = SentJournal.of(settings.TROTH_SITE).deeds()
    mended.mails = dict(outbox.after_restore(deeds, complete=context.complete))
    if not context.complete:
        SentJournal.of(settings.TROTH_SITE).note_gap()  # the next restore of an older backup holds its mails, too
    mended.left_again = newsletter.leave_again(deeds.left)
    mended.people, mended.lost_by_law = Person.objects.count(), vault.holds.without_records()
    mended.lost = max(
        0, without - (Person.with_canaries.count() - present)
    )  # whom the spool brought back has a new key
    vault.tidy()
    return mended


def _without_records() -> int:
    """Return the keys that no person's record uses."""
    store = keeper().store
    present = set(Person.with_canaries.values_list("slot", flat=True))
    return sum(1 for slot in range(store.slots) if slot not in present and store.person(slot) is not None)


# -- the spool --------------------------------------------------------------------------------------------------------


def _file_rest(context: LostSiteFacts, mended: Mended, progress: Progress) -> None:
    """Process everything acknowledged that is still in the spool, including what was processed before the loss."""
    mended.left_out = _leave_out(context)
    intake = Intake()
    while (turn := intake.turn()).moved:
        mended.filed += sum(turn.counts[name] for name in turn.counts if name not in (Count.REPLAYED, Count.ASIDE))
        progress("filing what waits in the spool", mended.filed, 0)


def _leave_out(context: LostSiteFacts) -> int:
    """Mark entries of people who were deleted after sending them as seen, so that nobody returns through the spool."""
    marks = dict(context.joined.marks)
    if not marks:
        return 0
    vault, out = keeper(), dict[bytes, SeenEntry]()
    for opened, place in _waiting():
        address = getattr(opened.came.entry, "email", None)
        if not isinstance(address, EmailAddress):
            continue
        day = marks.get(vault.index.suppression_mark(address))
        if day is not None and _came_before(opened, place, day, context.filed_to):
            ident = opened.came.entry_id
            out[ident.bytes] = SeenEntry(entry_id=ident, epoch=opened.epoch)
    SeenEntry.objects.bulk_create(out.values(), ignore_conflicts=True)
    return len(out)


def _came_before(opened: Opened, place: SpoolPosition, day: str, filed_to: SpoolPosition | None) -> bool:
    """Whether it arrived before the deletion. What had not been processed before the loss arrived after all its
    deletions."""
    if filed_to is not None:
        return place < filed_to
    created = datetime.fromtimestamp(made_at_ms(opened.came.entry_id) / 1000, UTC)
    return created.date().isoformat() <= day


def _waiting() -> Iterator[tuple[Opened, SpoolPosition]]:
    """Yield each entry after the position that can be decrypted, and its place."""
    intake, present, folder = Intake(), position(), settings.TROTH_SITE.spool
    while True:
        batch = next_batch(folder, present, 256)
        if batch.start == batch.end:
            return
        for item in batch.items:
            if isinstance(item, frames.Frame):
                opened_item = intake.look(item)
                if opened_item is not None:
                    yield opened_item, SpoolPosition(batch.start.segment, item.offset)
        present = batch.end

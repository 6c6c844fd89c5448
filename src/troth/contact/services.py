"""What happens to a contact message: filed, and one day gone. Runs in the worker, inside intake's transaction. What was
typed beside a message travels inside its record, as anyone may type anyone's address; only of somebody new it makes the
details. No answer goes out by itself."""

from collections import Counter
from collections.abc import Container, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from troth.contact import notices
from troth.contact.entry import ContactMessage
from troth.contact.mails import REPLY
from troth.contact.models import Label, Message, Thread
from troth.core import clock
from troth.core.entry import Came
from troth.core.ids import derived
from troth.core.intake_counts import Count
from troth.core.purpose import Reason
from troth.gate.models import Delivery
from troth.vault import ledger, masked_cards
from troth.vault.keeper import FoundPerson, keeper
from troth.vault.ledger import WORKER
from troth.vault.models import Canary, Person, Record
from troth.vault.records import ANSWER, DETAILS, MESSAGE, Details
from troth.vault.records import Message as Content
from troth.vault.references import otherwise_known


class _MessageBatch:
    """The rows that a batch of messages will insert: one statement for each table, not for each message."""

    def __init__(self, batch: Sequence[Came[ContactMessage]]) -> None:
        self._batch, self._keeper, self._now = batch, keeper(), clock.now()
        self._found = self._keeper.find_or_make([Details.of(submission.entry) for submission in batch])
        self._people = {match.person.id: match.person for match in self._found if match.new}
        self._records: list[Record] = []
        self._messages: list[Message] = []

    def file(self) -> None:
        ids = list(dict.fromkeys(match.person.id for match in self._found))
        open_threads = (
            Thread.with_canaries.filter(person__in=ids).exclude(state=Thread.State.CLOSED).order_by("last_at", "id")
        )
        existing = {thread.person_id: thread for thread in open_threads}  # of several, the last one counts
        fresh = self._fresh(existing)
        threads = {**fresh, **existing}
        for thread in threads.values():
            thread.state = Thread.State.WAITING
            thread.last_at = self._now
        for submission, match in zip(self._batch, self._found, strict=True):
            self._add(submission, match, threads[match.person.id])
        Person.with_canaries.bulk_create(self._people.values())
        Thread.with_canaries.bulk_create(fresh.values())
        Thread.with_canaries.bulk_update(existing.values(), ["state", "last_at"])
        Record.with_canaries.bulk_create(self._records)
        Message.with_canaries.bulk_create(self._messages)
        canaries = Canary.among(ids)  # no operator is told of what an invented person wrote
        if len(canaries) < len(ids):
            notices.queue(self._now)
        real = zip(self._batch, self._found, strict=True)
        masked_cards.note(submission.entry for submission, match in real if match.person.id not in canaries)
        ledger.write(Reason.FILE_SUBMISSION, WORKER, ids)

    def _fresh(self, existing: Container[UUID]) -> dict[UUID, Thread]:
        """A conversation for each who has none, named by the entry that begins it: filed again, it is the same."""
        threads = dict[UUID, Thread]()
        for submission, match in zip(self._batch, self._found, strict=True):
            person_id = match.person.id
            if person_id not in existing and person_id not in threads:
                threads[person_id] = Thread(
                    id=derived(submission.entry_id, "thread"), person_id=person_id, created_at=self._now
                )
        return threads

    def _add(self, submission: Came[ContactMessage], match: FoundPerson, thread: Thread) -> None:
        sender = Details.of(submission.entry)
        if match.new:
            self._records.append(self._keeper.record(match, DETAILS, sender))
            match.new = False
        content = Content(submission.entry.message, int(submission.at.timestamp() * 1000), submission.entry_id, sender)
        record = self._keeper.record(match, MESSAGE, content)
        self._records.append(record)
        self._messages.append(
            Message(
                id=derived(submission.entry_id, "message"),
                thread=thread,
                record=record,
                direction=Message.Direction.IN,
                at=submission.at,
                filed_at=self._now,
            )
        )


def file_messages(batch: Sequence[Came[ContactMessage]]) -> Counter[Count]:
    """File messages: person, conversation, message and the notice, all in the caller's transaction."""
    if batch:
        _MessageBatch(batch).file()
    return Counter({Count.MESSAGES: len(batch)})


# -- forgetting -----------------------------------------------------------------------------------------------------


def purge_over(limit: int = 200) -> int:
    """Remove conversations that are over their time, and the people of whom nothing else is known; returns how many."""
    until = clock.now() - timedelta(days=settings.TROTH_CONFIG.contact.keep_days)
    over = Thread.with_canaries.filter(last_at__lt=until, person__frozen_at=None).order_by("last_at")
    old = dict(over.values_list("id", "person_id")[:limit])
    if not old:
        return 0
    people = set(old.values())
    talking = Thread.with_canaries.filter(person__in=people).exclude(id__in=old)
    stay = otherwise_known(people, besides=(MESSAGE, ANSWER)) | set(talking.values_list("person_id", flat=True))
    # People first: a crash in between leaves their conversations, by which they are found again.
    keeper().erase(sorted(people - stay))
    _remove([thread for thread, person in old.items() if person in stay])
    return len(old)


def _remove(threads: Sequence[UUID]) -> None:
    messages = Message.with_canaries.filter(thread__in=threads)
    ids = list(messages.values_list("id", flat=True))
    Delivery.with_canaries.filter(kind=REPLY.name, about__in=ids).delete()
    Record.with_canaries.filter(id__in=list(messages.values_list("record_id", flat=True))).delete()
    Thread.with_canaries.filter(id__in=threads).delete()
    drop_unused_labels()


def drop_unused_labels() -> None:
    """Delete the labels that no conversation carries."""
    Label.objects.filter(threads=None).delete()

"""Who may be mailed now: so many mails to one person a day and to one domain an hour, whoever asks for them.

A form that mails whoever is typed into it is a weapon (list bombing): a thousand sign-ups of one victim give two mails
a day. What is over the person's cap is suppressed; what is over the domain's waits for an hour with room, or is
suppressed where half of its link's time would pass. All spellings of one mailbox (`anna+1@`, `a.nna@`) share a cap.
Where a host's spellings are unknown, new addresses that look alike are mailed a few at once, then one each some hours,
on small domains more slowly. An earlier mail's link still works: nobody can keep another off the list.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from troth.core import clock
from troth.core.config.sections import NewsletterSection
from troth.core.personal import EmailAddress
from troth.gate.models import Delivery
from troth.newsletter.mails import CONFIRMATION
from troth.newsletter.models import DomainHour
from troth.vault.keeper import keeper

PERSON_CAP, DOMAIN_CAP = "person_cap", "domain_cap"
ALIKE_HOURS = 4
"""Of new addresses that look alike, beyond those that are mailed at once, one is mailed each so many hours."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a mail may go; None and a reason where it may not."""

    at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """An address that nobody has confirmed yet."""

    looks: bytes
    """Mark of what it looks like without digits and signs; empty: like nothing."""
    in_a_crowd: bool
    """Whether it is at a provider where many people have addresses."""


def forget_domain(domain: bytes) -> None:
    """Forget how many mails a domain was given: the last person there is being erased, and it may be theirs alone."""
    DomainHour.objects.filter(domain=domain).delete()


def forget_hours() -> None:
    """Forget how many mails each domain was given: counted under the key of a worker that has ended."""
    DomainHour.objects.all().delete()


def forget_past_hours() -> int:
    """Forget how many mails each domain was given more than a day ago; nothing worth a line in the log."""
    DomainHour.objects.filter(hour__lt=int(clock.now().timestamp()) // 3600 - 24).delete()
    return 0


def forget_address(person: UUID, address: EmailAddress) -> None:
    """Forget which mails were sent to the address of a person who is about to be erased."""
    for mark in (keeper().mailbox_mark(address), keeper().skeleton_mark(address)):
        MAILBOXES.forget(mark)
    if keeper().alone_at_domain(person, address):
        forget_domain(keeper().domain_mark(address))


class Mailboxes:
    """When which mailbox was mailed in the last day, by a mark that only this process can make. In memory: on disk it
    would tell that somebody had been here who was erased since. Weak: a worker that is started again begins anew."""

    _MOST = 100_000

    def __init__(self) -> None:
        self._mailed: OrderedDict[bytes, list[datetime]] = OrderedDict()

    def count(self, mark: bytes, since: datetime) -> int:
        """Return how many mails this mailbox got after `since`."""
        return sum(at > since for at in self._mailed.get(mark, ()))

    def forget(self, mark: bytes) -> None:
        """Forget an erased person's mailbox: it is met as one that never came."""
        self._mailed.pop(mark, None)

    def note(self, marks: Sequence[bytes], at: datetime) -> None:
        """Note that each of these was mailed `at` this moment."""
        for mark in marks:
            earlier = [time for time in self._mailed.pop(mark, ()) if time > at - timedelta(days=1)]
            self._mailed[mark] = [*earlier, at]
        while len(self._mailed) > self._MOST:
            self._mailed.popitem(last=False)


MAILBOXES = Mailboxes()


class Caps:
    """The room that is left for one batch of sign-ups. `save()` writes down what was taken."""

    def __init__(
        self, now: datetime, form: NewsletterSection, people: Sequence[UUID], domains: Sequence[bytes]
    ) -> None:
        self._now, self._form = now, form
        self._hour = int(now.timestamp()) // 3600
        since = now - timedelta(days=1)
        lately = Delivery.with_canaries.filter(kind=CONFIRMATION.name, person__in=set(people), created_at__gt=since)
        counted = lately.exclude(state=Delivery.State.SUPPRESSED).values_list("person").annotate(Count("id"))
        self._people: Counter[UUID] = Counter(dict(counted.values_list("person", "id__count")))
        rows = DomainHour.objects.filter(domain__in=set(domains), hour__gte=self._hour)
        self._domains = Counter({(bytes(row.domain), row.hour): row.mails for row in rows})
        self._taken: set[tuple[bytes, int]] = set()
        self._mailed: list[bytes] = []

    def take(self, person: UUID, domain: bytes, mailbox: bytes, new: New | None = None) -> Turn:
        """Return the next turn for a mail to this person, at this domain, in this mailbox. `new`: not confirmed yet."""
        if max(self._people[person], self._lately(mailbox)) >= self._form.emails_per_address_per_day:
            return Turn(None, PERSON_CAP)
        first, most = self._hour, self._form.emails_per_domain_per_hour
        if new and new.looks:
            first += ALIKE_HOURS * max(0, self._lately(new.looks) - self._form.similar_addresses_per_day + 1)
        if new and not new.in_a_crowd:
            most = min(most, self._form.emails_per_new_domain_per_hour)
        for hour in range(first, self._hour + max(1, self._form.confirm_hours // 2)):
            if self._domains[domain, hour] < most:
                self._domains[domain, hour] += 1
                self._people[person] += 1
                self._taken.add((domain, hour))
                self._mailed += [mailbox, *([new.looks] if new and new.looks else [])]
                return Turn(max(self._now, datetime.fromtimestamp(hour * 3600, UTC)))
        return Turn(None, DOMAIN_CAP)

    def _lately(self, mark: bytes) -> int:
        return MAILBOXES.count(mark, self._now - timedelta(days=1)) + self._mailed.count(mark)

    def save(self) -> None:
        """Write the counts of domains that were taken from, in the caller's transaction."""
        rows = [DomainHour(domain=domain, hour=hour, mails=self._domains[domain, hour]) for domain, hour in self._taken]
        DomainHour.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["domain", "hour"], update_fields=["mails"]
        )
        transaction.on_commit(lambda: MAILBOXES.note(self._mailed, self._now))

"""Canaries: invented people whose details must never come out. Only `prove` makes them, new for each run and of many
shapes.

An entry is sealed with the site's public key, opened with the private one, and filed by the packages' own code; the
mails that this would cause are removed in the same transaction. Some have confirmed, some have not, one has written.
The last is restricted (GDPR, article 18), gets no mail, and may therefore submit forms again. A mark
(`vault.models.Canary`), set before anything else is written, keeps them out of every list, count, export and
notification, even after a proof was killed. An address that is already known is not taken. May touch: database and key
store, through the keeper.
"""

import random
import secrets
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from troth.contact import services as contact
from troth.contact.entry import ContactMessage
from troth.core import clock
from troth.core.entry import Came, Entry, came
from troth.core.epochs import epoch_of
from troth.core.personal import TYPES, EmailAddress, MessageText, each_detail
from troth.core.purpose import BASIC, Category
from troth.core.signed_links import Act
from troth.gate.models import Delivery
from troth.newsletter import services
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import Request
from troth.proofs.instruments.encodings import texts_of
from troth.proofs.instruments.fake_people import Invented, invent
from troth.rights.models import RightsRequest
from troth.vault import models, signing_keys
from troth.vault.envelope import OpeningKey, SealingKey, read_head
from troth.vault.keeper import keeper, read_site_id
from troth.vault.models import Person, WorkerState
from troth.vault.records import Details

_LATE = timedelta(seconds=60)
_BEAT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CanaryPerson:
    """One canary. Its details are personal values like anybody's."""

    person: uuid.UUID
    request: uuid.UUID
    """Its sign-up."""
    details: Details
    """Everything that a form may ask for."""
    message: MessageText
    """The message it writes, or would write."""
    invented: Invented
    """The same as plain text."""
    confirmed: bool = False
    has_written: bool = False
    frozen: bool = False

    @property
    def email(self) -> EmailAddress:
        """Return its email address."""
        return self.details.email

    def asked(self, fields: Collection[Category]) -> Details:
        """Return what it enters in a form with these fields."""
        values: dict[str, Any] = {name.value: value for name, value in each_detail(self.details) if name in fields}
        return Details(**{"email": self.email, **values})

    def texts(self, *, email: bool = True) -> list[str]:
        """Return the texts to search for, in full, their lines, and normalised: all, or all but the email address."""
        values = [value for category, value in each_detail(self.details) if email or category is not Category.EMAIL]
        return texts_of([*filter(None, values), self.message])


@contextmanager
def planted(count: int) -> Iterator[list[CanaryPerson]]:
    """Yield this many canaries (at least two) and remove them afterwards. Those left by an earlier run are removed
    first."""
    draw = random.Random(secrets.randbits(128))  # noqa: S311 - shapes of names, no key
    take_out()
    canaries: list[CanaryPerson] = []
    try:
        for number in range(count):
            frozen = number == count - 1
            canaries.append(
                _plant(_unused_details(draw), confirms=number % 3 != 1, writes=number % 4 == 0, frozen=frozen)
            )
        yield canaries
    finally:
        take_out()


def plant_another() -> CanaryPerson:
    """Return one more canary, confirmed, for a proof that erases it itself."""
    draw = random.Random(secrets.randbits(128))  # noqa: S311 - shapes of names, no key
    return _plant(_unused_details(draw), confirms=True, writes=False, frozen=False)


def _unused_details(draw: random.Random) -> Invented:
    """Return details with an email address that nobody on the site has."""
    vault = keeper()
    while True:
        invented = invent(draw)
        if not vault.index.look_up([vault.email_digest(EmailAddress(invented.email))]):
            return invented


def _plant(invented: Invented, *, confirms: bool, writes: bool, frozen: bool) -> CanaryPerson:
    values: dict[str, Any] = {field.value: TYPES[field](getattr(invented, field.value)) for field in BASIC}
    details, message = Details(**values), MessageText(invented.message)
    signup = _received(Signup(wording=bytes(32), **values))
    with transaction.atomic():
        _mark(details)
        services.file_signups([signup])
        request = Request.with_canaries.select_related("subscription").get(entry_id=signup.entry_id)
        person = request.subscription.person_id
        if confirms and not frozen:
            link = signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at)
            services.use_links([_received(LinkUsed(int(Act.CONFIRM), link))])
        if writes and not frozen:
            contact.file_messages([_received(ContactMessage(email=details.email, message=message, name=details.name))])
        if frozen:
            Person.with_canaries.filter(id=person).update(frozen_at=clock.now())
        Delivery.with_canaries.filter(person=person).delete()  # nobody is mailed for a proof
    return CanaryPerson(
        *(person, request.id, details, message, invented),
        confirmed=confirms and not frozen,
        has_written=writes and not frozen,
        frozen=frozen,
    )


def _mark(details: Details) -> None:
    """Mark the person to be made from these details: filing them finds the same id, so no row of theirs is ever
    unmarked."""
    (match,) = keeper().find_or_make([details])
    models.Canary.objects.create(person_id=match.person.id)


def _received[E: Entry](entry: E) -> Came[E]:
    """Return the entry as intake receives it: sealed with the public key and opened with the private one."""
    site, site_id, epoch = settings.TROTH_SITE, read_site_id(settings.TROTH_SITE), epoch_of(clock.now())
    opening = OpeningKey(site_id, epoch, (site.seal_keys / f"{epoch}.key").read_bytes())
    envelope = SealingKey(site_id, epoch, opening.public).seal(entry)
    return came(read_head(envelope).entry_id, opening.open(envelope, type(entry)))


# -- taking out -------------------------------------------------------------------------------------------------------


def take_out() -> int:
    """Erase the canaries and return how many, without a suppression mark. One that may still have something in the
    spool stays until that is filed: it would be filed as a new person."""
    _mark_those_of_older_versions()
    keeper().holds.end_invented()
    marks = list(models.Canary.objects.all())
    if not marks:
        return 0
    settled = [mark.person_id for mark in marks if mark.calls_since is None or _is_settled(mark.calls_since)]
    RightsRequest.with_canaries.filter(person__in=[mark.person_id for mark in marks]).delete()
    erased = keeper().erase(settled) if settled else 0
    keeper().tidy()
    return erased


def _mark_those_of_older_versions() -> None:
    """Mark canaries of older versions, which kept the ids of those left by a killed proof in a file."""
    waiting, late = (settings.TROTH_SITE.people_keys / name for name in ("proving", "proving-late"))
    ids = _ids(waiting)
    existing = Person.with_canaries.filter(id__in=ids).values_list("id", flat=True)
    models.Canary.objects.bulk_create([models.Canary(person_id=person) for person in existing], ignore_conflicts=True)
    waiting.unlink(missing_ok=True)
    late.unlink(missing_ok=True)


def _ids(path: Path) -> list[uuid.UUID]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [uuid.UUID(bytes=data[start : start + 16]) for start in range(0, len(data) // 16 * 16, 16)]


def _is_settled(called: datetime) -> bool:
    """Return whether everything that was in the spool at that time has been filed."""
    if abs(clock.now() - called) < _LATE:
        return False
    state = WorkerState.objects.filter(id=1).first()
    return state is not None and state.beat_at > clock.now() - _BEAT and state.spool_bytes_waiting == 0


@contextmanager
def calling(canary: CanaryPerson) -> Iterator[list[bool]]:
    """Note that something of this canary is in the spool. Append `True` to the list once all of it is filed."""
    mark = models.Canary.objects.filter(person=canary.person)
    mark.update(calls_since=clock.now())
    filed: list[bool] = []
    try:
        yield filed
    finally:
        if filed:
            mark.update(calls_since=None)

"""Canaries: invented people whose details must never come out. Made by `prove` alone, new each time, of many shapes.

They go in as ordinary people do: an entry is sealed with the site's public key, opened with the private one, and filed
by the rooms' own code; only the mails that this would cause are taken back in the same transaction. Some confirmed,
some wait, one has written; the last one is frozen, as a person may ask to be (GDPR, article 18), and may therefore
call at the front again: who is frozen is mailed nothing. No other code can tell them from people: no flag, no list
that names them, no pattern. Nobody real is ever taken for one: an address that is known is not used.

May touch: database and key store, through the keeper; `keys/people/proving`, where the ids of those stand that a proof
which was killed has left behind, and `proving-late`, of those whose call may still lie in the spool.
"""

import random
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from troth.gate.models import Delivery
from troth.ground import clock
from troth.ground.entry import Came, Entry, came
from troth.ground.epochs import epoch_of
from troth.ground.links import Act
from troth.ground.personal import Company, EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.inbox import notices
from troth.inbox import services as inbox
from troth.inbox.entry import ContactMessage
from troth.letters import services
from troth.letters.entry import LinkUsed, Signup
from troth.letters.models import DomainHour, Request
from troth.promises.invented import Invented, invent
from troth.promises.models import RightsRequest
from troth.vault import linkkeys
from troth.vault.keeper import keeper, read_site_id
from troth.vault.models import Person, WorkerState
from troth.vault.revealing import texts_of
from troth.vault.seal import OpeningKey, SealingKey, read_head

_LATE_SECONDS = 60.0
_BEAT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Canary:
    """One invented person. Its details are personal values like anybody's."""

    person: uuid.UUID
    request: uuid.UUID
    """Its sign-up."""
    email: EmailAddress
    name: PersonName
    telephone: Telephone
    address: PostalAddress
    company: Company
    message: MessageText
    """What it writes, or would."""
    invented: Invented
    """The same as it would be typed."""
    confirmed: bool = False
    has_written: bool = False
    frozen: bool = False

    def texts(self) -> list[str]:
        """What is looked for: whole details, their lines, and as they are compared."""
        return texts_of([self.email, self.name, self.telephone, self.address, self.company, self.message])


@contextmanager
def planted(count: int) -> Iterator[list[Canary]]:
    """So many canaries, at least two, and none of them afterwards. Those that an earlier proof left behind go first."""
    folder = settings.TROTH_SITE.people_keys
    draw = random.Random(secrets.randbits(128))  # noqa: S311 - shapes of names, no key
    take_out(folder)
    held = notices.hold(clock.now() + timedelta(seconds=120))  # no operator is told of what an invented person wrote
    made: list[Canary] = []
    try:
        for number in range(count):
            frozen = number == count - 1
            made.append(_plant(_unknown(draw), folder, confirms=number % 3 != 1, writes=number % 4 == 0, frozen=frozen))
        yield made
    finally:
        take_out(folder)
        notices.let_go(held)


def _unknown(draw: random.Random) -> Invented:
    """Details whose address nobody here has."""
    vault = keeper()
    while True:
        invented = invent(draw)
        if not vault.index.look_up([vault.email_digest(EmailAddress(invented.email))]):
            return invented


def _plant(invented: Invented, folder: Path, *, confirms: bool, writes: bool, frozen: bool) -> Canary:
    email, name, message = EmailAddress(invented.email), PersonName(invented.name), MessageText(invented.message)
    telephone, company = Telephone(invented.telephone), Company(invented.company)
    address = PostalAddress(invented.address)
    signup = _brought(Signup(email, bytes(32), name, telephone, address, company))
    with transaction.atomic():
        services.file_signups([signup])
        request = Request.objects.select_related("subscription").get(entry_id=signup.entry_id)
        person = request.subscription.person_id
        if confirms and not frozen:
            link = linkkeys.signer().sign(Act.CONFIRM, request.id, request.expires_at)
            services.use_links([_brought(LinkUsed(int(Act.CONFIRM), link))])
        if writes and not frozen:
            inbox.file_messages([_brought(ContactMessage(email=email, message=message, name=name))])
        if frozen:
            Person.objects.filter(id=person).update(frozen_at=clock.now())
        Delivery.objects.filter(person=person).delete()  # nobody is mailed for a proof
        DomainHour.objects.filter(domain=keeper().domain_mark(email)).delete()
        with (folder / "proving").open("ab") as file:  # before the commit: what is killed now is found again
            file.write(person.bytes)
    return Canary(
        *(person, request.id, email, name, telephone, address, company, message, invented),
        confirmed=confirms and not frozen,
        has_written=writes and not frozen,
        frozen=frozen,
    )


def _brought[E: Entry](entry: E) -> Came[E]:
    """The entry as intake has it: sealed with the public key and opened with the private one."""
    site, site_id, epoch = settings.TROTH_SITE, read_site_id(settings.TROTH_SITE), epoch_of(clock.now())
    opening = OpeningKey(site_id, epoch, (site.seal_keys / f"{epoch}.key").read_bytes())
    envelope = SealingKey(site_id, epoch, opening.public).seal(entry)
    return came(read_head(envelope).entry_id, opening.open(envelope, type(entry)))


# -- taking out -------------------------------------------------------------------------------------------------------


def take_out(folder: Path) -> int:
    """Erase whoever stands in the file; returns how many. They leave no suppression mark: nobody asked to be erased.

    Of whom something may still lie in the spool stays until it is filed: erased before, it would make somebody new.
    """
    waiting = folder / "proving"
    ids = _ids(waiting)
    if not ids:
        return 0
    late = {person for person in _ids(folder / "proving-late") if not _is_settled(folder / "proving-late")}
    gone = keeper().erase([person for person in ids if person not in late])
    RightsRequest.objects.filter(person__in=ids).delete()
    keeper().tidy()
    if late:  # a new file: root may have made the old one, and the worker's user tries next
        waiting.unlink()
        waiting.write_bytes(b"".join(person.bytes for person in sorted(late)))
    else:
        (folder / "proving-late").unlink(missing_ok=True)
        waiting.unlink()
    return gone


def _ids(path: Path) -> list[uuid.UUID]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [uuid.UUID(bytes=data[start : start + 16]) for start in range(0, len(data) // 16 * 16, 16)]


def _is_settled(path: Path) -> bool:
    """Whether whatever was in the spool when this file was written has been filed."""
    with suppress(FileNotFoundError):
        if abs(time.time() - path.stat().st_mtime) < _LATE_SECONDS:
            return False
    state = WorkerState.objects.filter(id=1).first()
    return state is not None and state.beat_at > clock.now() - _BEAT and state.spool_bytes_waiting == 0


@contextmanager
def calling(canary: Canary) -> Iterator[list[bool]]:
    """Something of this canary is on its way through the spool. Put `True` into the list once all of it was filed."""
    path = settings.TROTH_SITE.people_keys / "proving-late"
    filed: list[bool] = []
    with path.open("ab") as file:
        file.write(canary.person.bytes)
    try:
        yield filed
    finally:
        DomainHour.objects.filter(domain=keeper().domain_mark(canary.email)).delete()
        if filed:
            path.unlink(missing_ok=True)

"""What happens when somebody asks for their own record, and when they use the link they got. Runs inside intake. Only
the owner of an address hears, by mail, whether it is known; at most two such mails a day go to one person."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from troth.core import clock
from troth.core.entry import Came
from troth.core.intake_counts import Count
from troth.core.rooms import EmailKind
from troth.core.signed_links import Act, LinkRefused
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.rights import answer_files, services
from troth.rights.entry import ERASE, MAIL, RightsAsked, RightsUsed
from troth.rights.models import RightsRequest
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.ledger import WORKER
from troth.vault.models import Person

HOURS = 24
"""How long the link works, and how long the answer lies ready."""
LINK = EmailKind(
    name="rights",
    title="Link to personal data",
    to="the person it is about",
    contains=f"when they ask at `/privacy/me`; a link that works for {HOURS} hours",
    even_restricted=True,
)
EXPORT = EmailKind(
    name="export",
    title="Emailed data export",
    to="the person it is about",
    contains="when they ask for it behind that link; their data as text",
    even_restricted=True,
)
MAILS_A_DAY = 2
_LATE = timedelta(days=7)
"""How long after its link ran out a request is known: a spool that waited may still bring what was pressed in time."""


def file_asked(batch: Sequence[Came[RightsAsked]]) -> Counter[Count]:
    """Queue the link for those who are known, within the cap; forget the address at once."""
    return Counter(Count.RIGHTS_ASKED if _ask(submission) else Count.RIGHTS_WITHOUT_EFFECT for submission in batch)


def _ask(submission: Came[RightsAsked]) -> bool:
    person = keeper().find(WORKER, submission.entry.email)
    if person is None or _lately(person) >= MAILS_A_DAY:
        return False
    request = RightsRequest.with_canaries.create(person_id=person, expires_at=clock.now() + timedelta(hours=HOURS))
    _queue(LINK, request.id, person)
    return True


def _lately(person: UUID) -> int:
    since = clock.now() - timedelta(days=1)
    sent = Delivery.with_canaries.filter(kind=LINK.name, person=person, created_at__gt=since)
    return sent.exclude(state=Delivery.State.SUPPRESSED).count()


def _queue(kind: EmailKind, request: UUID, person: UUID) -> None:
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    outbox.new(kind, request, person, domain).save(force_insert=True)


def use_rights(batch: Sequence[Came[RightsUsed]]) -> Counter[Count]:
    """Do what these links let their holders do. A link that is refused is counted, not an error."""
    return Counter(_use(submission) for submission in batch)


def _use(submission: Came[RightsUsed]) -> Count:
    try:
        subject = signing_keys.subject(submission.entry.link, Act.RIGHTS, submission.at)
    except LinkRefused:
        return Count.LINKS_REFUSED
    request = RightsRequest.with_canaries.filter(id=subject, person__isnull=False).first()
    if request is None or request.person_id is None:
        return Count.LINKS_WITHOUT_EFFECT
    if submission.entry.wish == ERASE:
        services.ask_to_erase(request.person_id, services.PERSON, request_id=request.id)
        return Count.ERASURES_ASKED
    if submission.entry.wish != MAIL:
        return Count.LINKS_REFUSED
    if not RightsRequest.with_canaries.filter(id=request.id, mailed_at=None).update(mailed_at=clock.now()):
        return Count.LINKS_WITHOUT_EFFECT
    _queue(EXPORT, request.id, request.person_id)
    return Count.EXPORTS_ASKED


def erases(entry: object) -> bool:
    """Whether nothing may be filed behind this before an erasure is done: whoever comes next is somebody new."""
    return isinstance(entry, RightsUsed) and entry.wish == ERASE


def remove_over() -> int:
    """Remove answers whose link has run out, then their requests; returns how many files went."""
    now = clock.now()
    count = answer_files.remove_but(RightsRequest.with_canaries.filter(expires_at__gt=now).values_list("id", flat=True))
    held_mails = Delivery.with_canaries.filter(state=Delivery.State.HELD).values("about")
    RightsRequest.with_canaries.filter(expires_at__lt=now - _LATE).exclude(id__in=held_mails).delete()
    return count


def renew(request: RightsRequest) -> None:
    """Start a request's time anew: an owner let a mail about it go after it had been held, which is not the person's
    fault."""
    if request.expires_at <= clock.now():
        request.expires_at = clock.now() + timedelta(hours=HOURS)
        request.save(update_fields=["expires_at"])


def wanted(request: RightsRequest) -> bool:
    """Whether a mail about this request is still to be written."""
    return (
        request.expires_at > clock.now()
        and request.person_id is not None
        and Person.with_canaries.filter(id=request.person_id).exists()
    )

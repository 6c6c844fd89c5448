"""An operator's export of one person is searched first, as mail is, for somebody else's stored details (WALL 3, C3).

If it has some, it is held: not the export is kept, only that it was held and for which kinds of detail, and an owner
lets it go or drops it. What the person typed themselves is exempt. Whoever asked hears that an owner reviews it, and
not why. The list of everybody is not searched. May touch: the database, `keys/people/` through the keeper.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from troth.contact.mails import saved_replies
from troth.core import clock
from troth.core.errors import TrothError
from troth.gate import causes, mailer
from troth.gate.export import ExportDocument
from troth.gate.leak_check import LeakFinding
from troth.gate.models import Cause
from troth.rights import services
from troth.rights.models import HeldExport
from troth.vault.models import Person

PASSES = timedelta(days=1)
"""How long an export that was let go may be taken along."""


class ExportHeld(TrothError):
    """An owner has to look first. Tells neither why nor of whom."""

    def __init__(self) -> None:
        super().__init__(
            "This export is on hold until an owner has reviewed it.",
            mend="An owner can release it under Held mail, or with `troth held`. Then export again.",
        )


def take(person: UUID, actor: UUID | str) -> ExportDocument | None:
    """Return what is kept of this person, for an operator; None if there is nobody. Raises `ExportHeld`."""
    row = Person.objects.filter(id=person).first()
    export = services.export(person, actor) if row else None
    if row is None or export is None or _let_go(person):
        return export
    finding = mailer.leaks(settings.TROTH_CONFIG).check_export(export, row.slot, saved_replies())
    if finding.clear:
        return export
    _hold(person, actor, finding)
    raise ExportHeld


def _let_go(person: UUID) -> bool:
    since = clock.now() - PASSES
    return HeldExport.objects.filter(person=person, released=True, decided_at__gt=since).exists()


def _hold(person: UUID, actor: UUID | str, finding: LeakFinding) -> None:
    values = {
        "asked_by": str(actor),
        "reason": "unchecked" if finding.unchecked else "leak",
        "tripped": " ".join(finding.categories),
    }
    row, _ = HeldExport.objects.update_or_create(person_id=person, decided_at=None, defaults=values)
    row.causes.set(causes.note(finding.causes))


def waiting() -> list[HeldExport]:
    """Return exports that wait for an owner, the oldest first."""
    return list(HeldExport.objects.filter(decided_at=None).order_by("asked_at", "id"))


def let_go(ident: UUID) -> bool:
    """Release this person's export for a day, as an owner looked at it. False where it is not held."""
    return bool(_undecided(ident).update(decided_at=clock.now(), released=True))


def drop(ident: UUID) -> bool:
    """Refuse this person's export for good, as an owner looked at it. False where it is not held."""
    return bool(_undecided(ident).update(decided_at=clock.now()))


def settle(cause: UUID, *, approved: bool) -> int:
    """Release exports that only this cause holds, or refuse them for good, as an owner judged; return how many."""
    waiting = HeldExport.objects.filter(decided_at=None, causes=cause)
    other_causes = Cause.objects.filter(quiet_at=None).exclude(id=cause)
    ids = waiting.exclude(causes__in=other_causes) if approved else waiting
    decide = let_go if approved else drop
    return sum(decide(ident) for ident in list(ids.values_list("id", flat=True)))


def _undecided(ident: UUID) -> QuerySet[HeldExport]:
    return HeldExport.objects.filter(id=ident, decided_at=None)

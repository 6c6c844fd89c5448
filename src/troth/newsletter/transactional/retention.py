"""How long transactional emails are kept. May touch: the database."""

from datetime import timedelta

from troth.core import clock
from troth.newsletter.models import TransactionalMail
from troth.vault.models import Record

KEPT = timedelta(days=30)
_MOST = 1000


def sweep() -> int:
    """Remove emails that are past their time, with what a program passed; returns how many. One that still waits to be
    sent by then is not sent."""
    old = TransactionalMail.with_canaries.filter(created_at__lt=clock.now() - KEPT)
    records = list(old.values_list("record", flat=True)[:_MOST])
    Record.with_canaries.filter(id__in=records).delete()
    return len(records)

"""What happens to notices and to buyers who come back: written down with the questions that they raise. Runs in the
worker, inside intake's transaction, and asks nobody: that is done beside it (`asking`)."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.db.models import F

from troth.core import clock
from troth.core.entry import Came
from troth.core.intake_counts import Count
from troth.gate.card_company.errors import Refused
from troth.gate.card_company.notices import read_notice
from troth.gate.card_company.types import Event
from troth.shop import company, events
from troth.shop.entry import CardNotice, CheckoutReturn
from troth.shop.models import Order, Question, RefusedNotice

NO_SECRET = "no_secret"  # noqa: S105 - a reason for people
_MOST_RETURNS = 1_000
"""So many questions from returns wait at most: anybody can invent ids. Who paid is told of by a notice as well."""


def file_notices(batch: Sequence[Came[CardNotice]]) -> Counter[Count]:
    """Write down the events of notices that the card company signed, and count the others."""
    secrets, signed = company.notice_secrets(), list[Event]()
    refused = Counter[str]()
    for notice in batch:
        # By the time at which it came in: a worker that was stopped for a day believes what came meanwhile.
        at = int(notice.at.timestamp())
        try:
            signed.append(read_notice(notice.entry.notice, notice.entry.signature, secrets, at))
        except Refused as error:
            refused[error.code if secrets else NO_SECRET] += 1
    fresh = events.note(signed, by_notice=True)
    _count_refused(clock.now().date(), refused)
    return Counter({Count.NOTICES: fresh, Count.NOTICES_REFUSED: refused.total()})


def _count_refused(day: date, refused: Counter[str]) -> None:
    for reason, count in refused.items():
        row, _ = RefusedNotice.objects.get_or_create(day=day, reason=reason)
        RefusedNotice.objects.filter(id=row.id).update(count=F("count") + count)


def file_returns(batch: Sequence[Came[CheckoutReturn]]) -> Counter[Count]:
    """Have the card company asked about checkouts that buyers came back from, but for those that are settled."""
    asked_for = list(dict.fromkeys(submission.entry.checkout for submission in batch))
    settled = set(Order.with_canaries.filter(checkout__in=asked_for).values_list("checkout", flat=True))
    room = _MOST_RETURNS - Question.objects.count()
    for checkout in [ident for ident in asked_for if ident not in settled][: max(0, room)]:
        if not Question.objects.filter(about=checkout).exists():  # nobody has it asked again and again
            events.raise_question(Question.Kind.CHECKOUT, checkout)
    return Counter({Count.CHECKOUT_RETURNS: len(batch)})

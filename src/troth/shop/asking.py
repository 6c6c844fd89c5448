"""Asking the card company: what is due is claimed, asked on a thread without a database, and written down.

    due()      which jobs are due; each is claimed for a while                the database
    ask(job)   ask the card company, or have it do something once             the network, nothing else
    record()   write down the answer, or when to try again                    the database

A job has the same key at each try, so that what was done, and not heard of, is not done twice. None is ever dropped for
an error: it waits longer and longer, up to an hour, and the console says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from troth.core import clock
from troth.core.errors import TrothError
from troth.gate.card_company.errors import Broken, Busy, CardCompanyError, Refused, Unknown
from troth.gate.card_company.types import CardCompany, Checkout, Money, Refund
from troth.shop import company, events, reconciliation, settlement
from troth.shop.models import CustomerToForget, Order, Question, RefundOrder
from troth.shop.settlement import Answer, Asked

AT_ONCE = 16
_LEASE = timedelta(minutes=2)
"""Longer than a job can take with its calls."""
_FIRST_WAIT, _LONGEST_WAIT = 5, 3600
_State = RefundOrder.State


@dataclass(frozen=True, slots=True)
class RefundJob:
    """A refund to be made once."""

    id: UUID
    payment: str
    money: Money


@dataclass(frozen=True, slots=True)
class ForgetJob:
    """A customer whom the card company is to delete."""

    customer: str


@dataclass(frozen=True, slots=True)
class ReconcileJob:
    """The card company's list of events, and of late checkouts, is to be read."""

    since: reconciliation.Since


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer. `word`: for the console; `after`: seconds until the next try, if the company said so."""

    word: str
    after: int = 0
    final: bool = False
    """Whether another try with the same key cannot help."""


type Job = Asked | RefundJob | ForgetJob | ReconcileJob


def due() -> Sequence[Job]:
    """Claim what is due, and return it."""
    if not settings.TROTH_CONFIG.shop.enabled:
        return ()
    now = clock.now()
    questions = _claimed(Question.objects, now)
    refunds = _claimed(RefundOrder.with_canaries.filter(state=_State.QUEUED).select_related("order"), now)
    customers = _claimed(CustomerToForget.objects, now)
    since = reconciliation.due(now)
    return (
        *_asked(questions),
        *(RefundJob(row.id, row.order.payment, Money(row.amount, row.order.currency.lower())) for row in refunds),
        *(ForgetJob(row.customer) for row in customers),
        *((ReconcileJob(since),) if since else ()),
    )


def _claimed(rows: Any, now: datetime) -> list[Any]:
    due_rows = list(rows.filter(next_at__lte=now).order_by("next_at")[:AT_ONCE])
    if due_rows:
        type(due_rows[0])._base_manager.filter(pk__in=[row.pk for row in due_rows]).update(
            next_at=now + _LEASE, tries=F("tries") + 1
        )
    return due_rows


def _asked(questions: Sequence[Question]) -> list[Asked]:
    abouts = [question.about for question in questions]
    orders = Order.with_canaries
    revisions = dict(orders.filter(checkout__in=abouts).values_list("checkout", "revision"))
    revisions |= dict(orders.filter(payment__in=abouts).exclude(payment="").values_list("payment", "revision"))
    return [
        Asked(Question.Kind(question.kind), question.about, question.number, revisions.get(question.about, 0))
        for question in questions
    ]


def ask(job: Job) -> Any:
    """Return what the card company answered, or a `Failure`. Touches no database."""
    try:
        return _ask(job)
    except Busy as error:
        return Failure("busy", error.after)
    except Unknown:
        return Failure("unknown", final=True)
    except Refused as error:
        return Failure(error.code[:60] or "refused", final=True)
    except Broken:
        return Failure("broken", final=True)
    except CardCompanyError as error:
        return Failure("no_answer" if error.retry else "key_refused")
    except TrothError:
        return Failure("no_key")


def _ask(job: Job) -> Any:
    seller = company.company()
    match job:
        case Asked(kind=Question.Kind.CHECKOUT):
            return _answer(seller, seller.checkout(job.about))
        case Asked():
            return _answer(seller, seller.checkout_of(job.about))
        case RefundJob():
            return seller.refund(job.payment, job.money, str(job.id))
        case ForgetJob():
            return seller.forget_customer(job.customer)
        case ReconcileJob():
            return reconciliation.read(seller, job.since)


def _answer(seller: CardCompany, checkout: Checkout | None) -> Answer:
    if checkout is None or checkout.state != "complete" or not checkout.payment:
        return Answer(checkout)
    return Answer(checkout, seller.disputes(checkout.payment))


def record(job: Job, answer: Any) -> int:
    """Write down the answer; return 1 if something changed."""
    match job:
        case Asked():
            return _record_answer(job, answer)
        case RefundJob():
            return _record_refund(job, answer)
        case ForgetJob():
            return _record_forgotten(job, answer)
        case ReconcileJob():
            if isinstance(answer, Failure):
                return reconciliation.failed(answer.word)
            return reconciliation.take(job.since, answer)


def _record_answer(question: Asked, answer: Any) -> int:
    if not isinstance(answer, Failure):
        return int(settlement.settle(question, answer) is settlement.Outcome.SETTLED)
    if answer.word == "unknown":  # there is no such object: somebody invented it
        settlement.settle(question, Answer(None))
        return 0
    _later(Question.objects.filter(about=question.about, number=question.number), answer, problem=answer.word[:20])
    return 0


def _later(rows: Any, failure: Failure, **values: str) -> None:
    for row in rows:
        wait = failure.after or min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(row.tries, 12))
        rows.filter(pk=row.pk).update(next_at=clock.now() + timedelta(seconds=wait), **values)


@transaction.atomic
def _record_refund(job: RefundJob, answer: Any) -> int:
    rows = RefundOrder.with_canaries.filter(id=job.id, state=_State.QUEUED)
    if isinstance(answer, Failure) and not answer.final:
        _later(rows, answer, reason=answer.word)
        return 0
    if isinstance(answer, Refund):
        rows.update(state=_State.DONE, reason="")
    else:
        rows.update(state=_State.REFUSED, reason=answer.word)
    events.raise_question(Question.Kind.PAYMENT, job.payment)  # what it came to is asked for, as always
    return 1


def _record_forgotten(job: ForgetJob, answer: Any) -> int:
    rows = CustomerToForget.objects.filter(customer=job.customer)
    if isinstance(answer, Failure) and answer.word != "unknown":
        _later(rows, answer)
        return 0
    rows.delete()
    return 1


def work_off() -> int:
    """Ask and write down all that is due, one after the other; return how many changes that made. For commands."""
    changes = 0
    while jobs := due():
        changes += sum(record(job, ask(job)) for job in jobs)
    return changes

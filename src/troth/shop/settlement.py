"""Settlement: the one place that writes orders. A notice, a buyer who comes back, the comparison and commands all end
here, with what the card company says of a checkout *now*.

    settle(question, answer)  one transaction: lock, check, move the state forward, write the ledger, queue emails

What an event said is never used: it may be forged, late, or of another day. An answer that was asked for before the
order was last settled is out of date, and is asked for again. Safe to repeat; killed at any line, nothing is half done.
May touch: the database, the vault; never the network.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.gate.card_company.types import Checkout, Dispute
from troth.shop import buyers, documents, events, ledger, mails, taxes
from troth.shop.models import CompanyEvent, Movement, Order, Price, Question, order_id

_State = Order.State
_RANK = {state: place for place, state in enumerate(_State.values)}
PROBLEMS = {
    "amount": "Another amount was charged than was asked for.",
    "currency": "It was paid in another currency than was asked for.",
    "buyer": "The card company has no email address of the buyer.",
}
"""What may not agree with what was offered. The money is in the ledger; nothing is delivered until you have looked."""
PAID: list[Callable[[Order], None]] = []
"""Called with each order that is paid, in the transaction that says so: what is delivered is ordered here."""
TAKEN_BACK: list[Callable[[Order], None]] = []
"""Called with each order of which all money went back, or that its buyer's bank took back, in that transaction."""


class Outcome(StrEnum):
    """What settling came to."""

    SETTLED = "settled"
    AGREES = "agrees"
    """Nothing had changed."""
    NOTHING = "nothing"
    """It is not a purchase: open, expired or unknown."""
    FOREIGN = "foreign"
    """It is of something that was not sold from here."""
    OUT_OF_DATE = "out_of_date"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was put."""

    kind: Question.Kind
    about: str
    number: int
    revision: int
    """Of the order, when it was put; 0 if there was none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the card company said: a checkout with its disputes; None if there is none."""

    checkout: Checkout | None
    disputes: tuple[Dispute, ...] = ()


@transaction.atomic
def settle(question: Asked, answer: Answer) -> Outcome:
    """Write down what the card company says, once, and close the question."""
    list(Question.objects.select_for_update().filter(about=question.about))
    checkout = answer.checkout
    if checkout is None or checkout.state != "complete":
        _close(question)
        return Outcome.NOTHING
    order = Order.with_canaries.select_for_update().filter(checkout=checkout.id).first()
    if (order.revision if order else 0) != question.revision:
        _ask_again(question, checkout)
        return Outcome.OUT_OF_DATE
    price = order.price if order else _price(checkout.reference)
    if price is None:
        _close(question)
        return Outcome.FOREIGN
    order = order or _new_order(checkout, price)
    changed = _Settling(order, checkout, answer.disputes).run()
    _close(question)
    return Outcome.SETTLED if changed else Outcome.AGREES


def _close(question: Asked) -> None:
    """Close the question as it was put. Where it was put anew meanwhile, it stays, and so do its events."""
    if Question.objects.filter(about=question.about, number=question.number).delete()[0]:
        CompanyEvent.objects.filter(about=question.about, settled_at=None).update(settled_at=clock.now())


def _ask_again(question: Asked, checkout: Checkout) -> None:
    """Ask by the checkout itself: by a payment, an order that waits for one is not found."""
    events.raise_question(Question.Kind.CHECKOUT, checkout.id)
    if question.about != checkout.id:
        CompanyEvent.objects.filter(about=question.about, settled_at=None).update(about=checkout.id)
        Question.objects.filter(about=question.about, number=question.number).delete()


def _price(reference: str) -> Price | None:
    """Return the price that a checkout's reference names; None if it is not of ours."""
    ident = _uuid(reference)
    return Price.objects.select_related("edition__product").filter(id=ident).first() if ident else None


def known_prices(references: Iterable[str]) -> set[str]:
    """Return those of these references that name a price of ours."""
    by_id = {ident: reference for reference in references if (ident := _uuid(reference))}
    return {by_id[ident] for ident in Price.objects.filter(id__in=list(by_id)).values_list("id", flat=True)}


def _uuid(reference: str) -> UUID | None:
    try:
        return UUID(reference)
    except ValueError:
        return None


def order_number(checkout: str) -> str:
    """Return the number of a checkout's order: ten letters and digits, which nobody can guess from another's and no
    search takes for a card number."""
    key = settings.TROTH_SITE.site_id.read_bytes()
    drawn = blake2b(checkout.encode(), key=key[:64], digest_size=7, person=b"troth order").digest()
    letters = base64.b32encode(drawn).decode()[:10]
    return f"{letters[:5]}-{letters[5:]}"


def _new_order(checkout: Checkout, price: Price) -> Order:
    return Order(
        id=order_id(checkout.id),
        number=order_number(checkout.id),
        price=price,
        state=_State.PENDING,
        checkout=checkout.id,
        currency=checkout.total.currency.upper(),
        total=checkout.total.amount,
        created_at=datetime.fromtimestamp(checkout.created, UTC),
    )


class _Settling:
    """One order on its way to what the card company says."""

    def __init__(self, order: Order, checkout: Checkout, disputes: tuple[Dispute, ...]) -> None:
        self._order, self._checkout, self._disputes = order, checkout, disputes
        self._before = "" if order.revision == 0 else order.state
        self._named = buyers.details_of(checkout.buyer)
        self._moved = False

    def run(self) -> bool:
        """Return whether anything changed."""
        order = self._order
        self._copy()
        state = self._state()
        if _RANK[state] > _RANK[order.state]:
            order.state = state
        if order.revision == 0:
            order.revision = 1
            order.save(force_insert=True)
        newly_paid = order.paid_at is None and _RANK[order.state] >= _RANK[_State.PAID]
        if newly_paid:
            self._pay()
        if order.paid_at is not None:
            self._give_back()
        changed = self._moved or order.state != self._before
        order.revision += 1
        order.compared_at = clock.now()
        order.save()
        return changed

    def _copy(self) -> None:
        """Take over what may have become known since."""
        order, checkout = self._order, self._checkout
        order.payment = checkout.payment or order.payment
        order.customer = checkout.customer or order.customer
        order.card_brand = checkout.card_brand[:20] or order.card_brand
        order.last4 = checkout.last4[-4:] or order.last4
        order.country = checkout.country[:2] or order.country

    def _state(self) -> Order.State:
        checkout = self._checkout
        if checkout.paid == "unpaid":
            return _State.FAILED if checkout.failed else _State.PENDING
        if checkout.refunded == 0:
            return _State.PAID
        return _State.REFUNDED if checkout.refunded >= checkout.charged else _State.PART_REFUNDED

    # -- paid -----------------------------------------------------------------------------------------------------

    def _pay(self) -> None:
        order, checkout = self._order, self._checkout
        order.paid_at = clock.now()
        order.total, order.discount = checkout.total.amount, checkout.discount
        self._tax()
        order.problem = self._problem()
        if self._named is not None:
            order.person = buyers.file(self._named)
        paid = ledger.move(order, Movement.Kind.PAYMENT, checkout.charged, order.tax)
        self._document(paid)
        paid.save(force_insert=True)
        self._moved = True
        order.save()
        if order.problem:
            mails.tell_operators(order.id, "order_problem")
            return
        mails.queue(mails.ORDER, order, order.id)
        for call in PAID:
            call(order)

    def _tax(self) -> None:
        order, price = self._order, self._order.price
        if price.tax == "company":
            order.tax = self._checkout.tax
            order.tax_rate = taxes.effective_rate(order.total, order.tax)
        elif price.tax == "table":
            order.tax_rate = taxes.rates(settings.TROTH_CONFIG.shop.tax_rates).get(order.country, 0)
            order.tax = taxes.included(order.total, order.tax_rate, order.currency)

    def _problem(self) -> str:
        """Return in one word what does not agree with what was offered; empty if all does."""
        checkout, price = self._checkout, self._order.price
        if checkout.total.currency.upper() != price.currency:
            return "currency"
        added = 0 if price.tax_included else checkout.tax
        if checkout.subtotal != price.amount or checkout.total.amount != price.amount - checkout.discount + added:
            return "amount"
        due = 0 if checkout.paid == "no_payment_required" else checkout.total.amount
        if checkout.charged != due:
            return "amount"
        return "" if self._named is not None else "buyer"

    # -- given back -----------------------------------------------------------------------------------------------

    def _give_back(self) -> None:
        order = self._order
        refund = ledger.refund_difference(order, self._checkout.refunded)
        if refund is not None:
            self._document(refund)
            refund.save(force_insert=True)
            if refund.amount < 0 and order.person_id is not None:
                mails.queue(mails.REFUND, order, refund.id)
        lost = ledger.dispute_difference(order, ledger.amount_disputed(self._disputes))
        if lost is not None:
            lost.save(force_insert=True)
        for dispute in ledger.keep_disputes(order, self._disputes):
            mails.tell_operators(order.id, "dispute", dispute.id)
        if refund is None and lost is None:
            return
        self._moved = True
        sums = ledger.sums(order)
        if ledger.refunded(sums) + ledger.disputed(sums) >= ledger.charged(sums) > 0:
            for call in TAKEN_BACK:
                call(order)

    def _document(self, movement: Movement) -> None:
        """Number and file what is owed to the buyer and to the tax office. Nothing for a purchase at no charge, or of
        somebody who was deleted since: their credit note is the operator's to write."""
        if movement.amount and self._order.person_id is not None and self._named is not None:
            documents.file(self._order, movement, self._named, self._checkout.buyer.vat_number)

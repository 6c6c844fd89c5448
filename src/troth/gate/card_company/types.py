"""What is asked of a card company, and what is kept of its answers: these fields and no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

type PaymentState = Literal["unpaid", "paid", "no_payment_required"]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole smallest units, as the company counts them."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class ForSale:
    """What is to be sold at one address."""

    name: str
    reference: str
    """Our own id; it comes back with each checkout."""
    price: Money
    return_url: str
    """Where the buyer comes back to; `{CHECKOUT_SESSION_ID}` in it becomes the checkout's id."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the company made of it."""

    product: str
    price: str
    link: str
    url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A buyer's checkout as the company has it now."""

    id: str
    state: Literal["open", "complete", "expired"]
    paid: PaymentState
    total: Money
    tax: int
    discount: int
    reference: str
    """The reference of what was sold; empty if the company knows none."""
    payment: str
    """The payment's id; empty while there is none."""
    charge: str
    charged: int
    refunded: int
    disputed: bool
    customer: str
    country: str
    card_brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back."""

    id: str
    payment: str
    money: Money
    state: Literal["pending", "succeeded", "failed", "canceled", "requires_action"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A buyer's dispute with their bank."""

    id: str
    payment: str
    money: Money
    reason: str
    state: str
    due_by: int
    """When evidence has to be in, in seconds since 1970; 0 if no more is taken."""


@dataclass(frozen=True, slots=True)
class Event:
    """That something happened to an object; what it is now has to be asked for."""

    id: str
    type: str
    created: int
    about: str
    """The object's id."""


class CardCompany(Protocol):
    """A card company. Every method raises a `CardCompanyError`. `key`: the same for each attempt at the same deed."""

    def publish(self, sold: ForSale, key: str) -> Published:
        """Make a product, its price and an address where it is bought."""

    def withdraw(self, link: str, key: str) -> None:
        """Sell no more at this address."""

    def checkout(self, identifier: str) -> Checkout:
        """Return a checkout as it is now."""

    def refund(self, payment: str, money: Money | None, key: str) -> Refund:
        """Give back this much, or without `money` all that is left."""

    def refund_now(self, identifier: str) -> Refund:
        """Return a refund as it is now."""

    def dispute(self, identifier: str) -> Dispute:
        """Return a dispute as it is now."""

    def events(self, since: int) -> Iterator[Event]:
        """Yield the events since this time, newest first; companies keep them for about 30 days."""

    def forget_customer(self, identifier: str) -> None:
        """Delete a customer; done already is done."""

"""What is asked of a card company, and what is kept of its answers: these fields and no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress

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
    product: str = ""
    """The company's product, if an earlier price made it already."""
    address: bool = False
    """Whether the company asks for an address and a VAT number."""
    tax: bool = False
    """Whether the company computes tax; then it asks for both as well."""
    tax_included: bool = True
    """Whether the price contains that tax."""
    codes: bool = False
    """Whether buyers may enter a coupon's code."""


@dataclass(frozen=True, slots=True)
class Rebate:
    """What a coupon takes off: a share in percent, or an amount."""

    code: str
    name: str
    percent: int | None = None
    amount: Money | None = None
    until: int | None = None
    """In seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the company made of it."""

    product: str
    price: str
    link: str
    url: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, as they gave it to the company, where our own forms would take it too; else None."""

    email: EmailAddress | None
    name: PersonName | None
    address: PostalAddress | None
    company: Company | None
    vat_number: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A buyer's checkout as the company has it now."""

    id: str
    created: int
    """When it was opened, in seconds since 1970."""
    state: Literal["open", "complete", "expired"]
    paid: PaymentState
    failed: bool
    """Whether a payment that was under way came to nothing."""
    subtotal: int
    """The price, before discount and added tax."""
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
    buyer: Buyer


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
    payment: str = ""
    """The payment that the object belongs to, if it is of one."""


class CardCompany(Protocol):
    """A card company. Every method raises a `CardCompanyError`. `key`: the same for each attempt at the same deed."""

    def publish(self, sold: ForSale, key: str) -> Published:
        """Make a product, its price and an address where it is bought."""

    def withdraw(self, link: str, key: str) -> None:
        """Sell no more at this address."""

    def offer_code(self, rebate: Rebate, key: str) -> str:
        """Make a code that buyers may enter; return the company's id of it."""

    def withdraw_code(self, identifier: str, key: str) -> None:
        """Take this code no more."""

    def checkout(self, identifier: str) -> Checkout:
        """Return a checkout as it is now."""

    def checkout_of(self, payment: str) -> Checkout | None:
        """Return the checkout that a payment belongs to; None if it belongs to none."""

    def checkouts(self, since: int) -> Iterator[Checkout]:
        """Yield the checkouts opened since this time, newest first."""

    def disputes(self, payment: str) -> tuple[Dispute, ...]:
        """Return the disputes of a payment as they are now."""

    def refund(self, payment: str, money: Money | None, key: str) -> Refund:
        """Give back this much, or without `money` all that is left."""

    def events(self, since: int) -> Iterator[Event]:
        """Yield the events since this time, newest first; companies keep them for about 30 days."""

    def forget_customer(self, identifier: str) -> None:
        """Delete a customer; done already is done."""

"""What comes in for the shop (B2): the card company's notices, and buyers who come back. The front imports this."""

import re
from typing import ClassVar

from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.purpose import Purpose
from troth.core.text.card_numbers import find

LONGEST_NOTICE = 48_000
"""Bytes: sealed, it fits one frame. A longer one is refused; what it says is found by the comparison."""
LONGEST_SIGNATURE = 1_000
_SIGNATURE = re.compile(r"t=[0-9]{1,12}(,v[0-9]{1,2}=[0-9a-f]{64})+")
"""The header `Stripe-Signature`: seconds, and one or more HMAC-SHA256 (https://docs.stripe.com/webhooks)."""
_CHECKOUT = re.compile(r"[A-Za-z0-9_]{4,200}")


class CardNotice(Entry, frozen=True):
    """The card company says that something happened. Its bytes are sealed as they came: the signature covers them."""

    schema: ClassVar[int] = 10
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.NOTICE

    notice: bytes
    signature: str

    def check(self) -> None:
        """Check its size, and that no card number is in it; whose it is, the signature says."""
        if len(self.notice) > LONGEST_NOTICE:
            raise EntryRefused("notice: This is too long.")
        if not is_signature(self.signature):
            raise EntryRefused("signature: There can be no such signature.")
        if has_card_number(self.notice):
            raise EntryRefused("notice: This contains a card number.")


class CheckoutReturn(Entry, frozen=True):
    """Somebody came back from the card company with the id of a checkout. What it is, the company will say."""

    schema: ClassVar[int] = 11
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.NOTICE

    checkout: str

    def check(self) -> None:
        """Check that there can be such an id."""
        if not is_checkout(self.checkout):
            raise EntryRefused("checkout: There can be no such checkout.")


def is_checkout(text: str) -> bool:
    """Whether a text can be the id of a checkout."""
    return bool(_CHECKOUT.fullmatch(text)) and not find(text)


def is_signature(text: str) -> bool:
    """Whether a text can be the signature of a notice; nothing else is stored, as it could be a card number."""
    return len(text) <= LONGEST_SIGNATURE and bool(_SIGNATURE.fullmatch(text))


def has_card_number(notice: bytes) -> bool:
    """Whether a card number is in a notice."""
    return bool(find(notice.decode("utf-8", "replace")))


ENTRIES: tuple[type[Entry], ...] = (CardNotice, CheckoutReturn)
"""Everything this package takes in."""

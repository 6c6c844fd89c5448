"""A throwaway package of which a law wants invoices kept: nothing that Troth has files any yet."""

from datetime import date

import pytest

from troth.core import clock
from troth.core.personal import MessageText
from troth.core.rooms import Room, rooms
from troth.vault import legal_holds
from troth.vault.keeper import keeper
from troth.vault.legal_holds import INVOICE
from troth.vault.records import Details, Invoice

TILL = Room(name="till", kept_by_law=(INVOICE,))
SOLD = "One lamp, 120.00 EUR"
DAY = date(2026, 11, 30)
LAST = date(2036, 12, 31)


@pytest.fixture
def till(monkeypatch):
    """The package is one of Troth's for the length of the test."""
    everything = (*rooms(), TILL)
    monkeypatch.setattr(legal_holds, "rooms", lambda: everything)


def invoice(named: Details, number="2026-0001"):
    return Invoice(number=number, at_ms=clock.timestamp_ms(), named=named, text=MessageText(SOLD))


def sold(person, named: Details, number="2026-0001", on=DAY):
    """An invoice of this person is filed; returns the record's id."""
    return keeper().holds.file(person, INVOICE, invoice(named, number), on=on)

"""What a captured front seals is held to what the forms ask: it is set aside, files nothing, and stops nobody."""

import os
import uuid
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest

from tests.contact.conftest import message
from tests.people.people import ADDRESS, signed_up
from tests.worker.test_intake import WORDING, confirm_link, drain, signup
from troth.audience.counting import commit as audience
from troth.audience.counting.commit import Counted, MinuteCounts
from troth.contact.entry import ContactMessage
from troth.contact.models import Message
from troth.core import clock
from troth.core.contact_details import LONGEST
from troth.core.entry import EntryRefused
from troth.core.epochs import LENGTH, epoch_of
from troth.core.personal import TYPES, Company, EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.core.purpose import Category
from troth.front.forms import fields
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import Request, Subscription
from troth.rights.entry import RightsAsked, RightsUsed
from troth.rights.models import RightsRequest
from troth.vault import envelope
from troth.vault.models import AsideItem, Person, Record
from troth.vault.validate import judge

ADA = EmailAddress("ada@example.com")
TEXT = MessageText("Does it run on Tuesdays?")
CARD = "4242 4242 4242 4242"
SEALED = {
    "no address": Signup(EmailAddress("ada"), wording=WORDING),
    "two addresses": Signup(EmailAddress("ada@example.com,bob@example.com"), wording=WORDING),
    "a line in an address": Signup(EmailAddress("ada@example.com\nBcc: bob@example.com"), wording=WORDING),
    "a card number for an address": Signup(EmailAddress("4242424242424242@example.com"), wording=WORDING),
    "an address without end": Signup(EmailAddress("a" * 50_000 + "@example.com"), wording=WORDING),
    "nothing for an address": Signup(EmailAddress(" "), wording=WORDING),
    "a long name": Signup(ADA, PersonName("A" * 121), wording=WORDING),
    "a card number in a name": Signup(ADA, PersonName(f"Ada {CARD}"), wording=WORDING),
    "a disguised card number in a name": Signup(ADA, PersonName("Ada NDI0MjQyNDI0MjQyNDI0Mg=="), wording=WORDING),
    "a control character in a name": Signup(ADA, PersonName("Ada\x1b[31m"), wording=WORDING),
    "a name that turns around": Signup(ADA, PersonName("Ada\u202eadA"), wording=WORDING),
    "no telephone number": Signup(ADA, wording=WORDING, telephone=Telephone("call me")),
    "a card number in an address": Signup(ADA, wording=WORDING, postal_address=PostalAddress(f"1 Lane\n{CARD}")),
    "a long postal address": Signup(ADA, wording=WORDING, postal_address=PostalAddress("x" * 501)),
    "a card number for a company": Signup(ADA, wording=WORDING, company=Company(CARD)),
    "no hash": Signup(ADA, wording=b""),
    "half a hash": Signup(ADA, wording=WORDING[:16]),
    "the hash of no sentence of ours": Signup(ADA, wording=bytes(32)),
    "a long message": ContactMessage(ADA, message=MessageText("x" * (LONGEST[Category.MESSAGE] + 1))),
    "an empty message": ContactMessage(ADA, message=MessageText(" \n ")),
    "a card number in a message": ContactMessage(ADA, message=MessageText(f"My card: {CARD}")),
    "a control character in a message": ContactMessage(ADA, message=MessageText("Dear \x1b]0;Sir")),
    "a message that turns around": ContactMessage(ADA, message=MessageText("Dear \u202eriS")),
    "a message from nobody": ContactMessage(EmailAddress("nobody"), message=TEXT),
    "a message with a long company": ContactMessage(ADA, message=TEXT, company=Company("x" * 161)),
    "a question from nobody": RightsAsked(EmailAddress("x" * 300 + "@example.com")),
    "a wish that there is not": RightsUsed("x" * 116, "everything"),
    "a link without end": LinkUsed(1, "x" * 50_000),
    "no counts": Counted(os.urandom(100)),
    "counts of no day": Counted(msgspec.msgpack.encode(MinuteCounts(1, 25, [], [], [])) + b"\x80"),
    "counts of another day": Counted(msgspec.msgpack.encode(MinuteCounts(738_000, 12, [], [], [])) + b"\x80"),
}


@pytest.mark.parametrize("what", SEALED)
def test_what_no_form_takes_is_set_aside_and_the_next_is_filed(site, what):
    site.submit(SEALED[what], signup("bob@example.com"), message("cleo@example.com"))
    drain()
    assert AsideItem.objects.get().reason == AsideItem.Reason.REFUSED
    assert AsideItem.objects.get().epoch is None, "no key is kept for it"
    assert (Person.objects.count(), Subscription.objects.count(), Message.objects.count()) == (2, 1, 1)
    assert not RightsRequest.objects.exists()


def test_a_card_number_among_the_names_of_counts_is_not_kept():
    counts = MinuteCounts(738_000, 12, ["/", f"/thanks/{CARD}"], [], [])
    assert audience.unpack(msgspec.msgpack.encode(counts) + b"\x80").names == ["/", "/thanks/•••• 4242"]


def test_a_flood_of_it_does_not_stop_intake(site, monkeypatch):
    from troth.worker import failed_items

    monkeypatch.setattr(failed_items, "MOST_JUNK", 3)
    monkeypatch.setattr(failed_items, "MOST_WAITING", 2)
    site.submit(*[Counted(b"no counts")] * 6, *[SEALED["a long name"]] * 6, signup("bob@example.com"))
    drain()
    assert Person.objects.count() == 1
    assert AsideItem.objects.filter(kept=True).count() == 3


def _dated(site, entry, monkeypatch, at):
    """An envelope of today's key whose id says another time."""
    with monkeypatch.context() as patched:
        stamp = int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62
        patched.setattr(envelope, "new_id", lambda: uuid.UUID(int=stamp | int.from_bytes(os.urandom(7))))
        return site.key().seal(entry)


@pytest.mark.parametrize("kind", ["sign-up", "message", "link"])
def test_nothing_is_dated_back_before_its_key(site, monkeypatch, kind):
    signed_up(site)
    site.submit(signup("ada@example.com"))
    drain()
    link = confirm_link(Request.objects.order_by("created_at", "id").last())
    entry = {"sign-up": signup("bob@example.com"), "message": message("bob@example.com"), "link": link}[kind]
    before = Person.objects.count(), Record.objects.count(), Subscription.objects.filter(state="confirmed").count()
    for back in (timedelta(days=365), 2 * LENGTH):
        site.spooled(_dated(site, entry, monkeypatch, clock.now() - back), kind=int(entry.kind))
    drain()
    assert AsideItem.objects.filter(reason=AsideItem.Reason.REFUSED).count() == 2
    assert before == (
        Person.objects.count(),
        Record.objects.count(),
        Subscription.objects.filter(state="confirmed").count(),
    )


def test_what_waited_in_the_spool_for_weeks_is_filed(site):
    with clock.hold(clock.now() - 3 * LENGTH):
        site.submit(signup(ADDRESS))
        assert epoch_of(clock.now()) < epoch_of(clock.now() + LENGTH)
    drain()
    assert Person.objects.count() == 1


def test_a_date_to_come_counts_as_now(site, monkeypatch):
    entry = message("bob@example.com")
    envelope = _dated(site, entry, monkeypatch, clock.now() + timedelta(days=365))
    site.spooled(envelope, kind=int(entry.kind))
    drain()
    assert Message.objects.get().at <= clock.now()


HONEST = {
    Category.EMAIL: ("ada@bücher.example", "Ada <ada@example.com>", "a.b+c@example.org"),
    Category.NAME: ("می\u200cخواهم", "O’Brien", "Ada 4242 4242 4242 4242", "👨\u200d👩\u200d👧 Family", "x" * 120),
    Category.TELEPHONE: ("+49 30 901820 ext. 12", "٠٣٠ ٩٠١٨٢٠", "4111 1111 1111 1111"),
    Category.POSTAL_ADDRESS: ("1 Lane\r\n\u2028Town", "x\n" * 249),
    Category.COMPANY: ("Example & Co.", "Beispiel GmbH \u200f"),
    Category.MESSAGE: (
        "Hello \x07\u202e you\u200f\n\n  1.\tabc\r\nNDI0MjQyNDI0MjQyNDI0Mg==",
        "\ufffd \ue000 ok",
        "x" * 6_000,
    ),
}


@pytest.mark.parametrize("category", HONEST)
def test_whatever_the_form_takes_the_worker_takes(category):
    from troth.core import contact_details

    for typed in HONEST[category]:
        text = fields.tidied(SimpleNamespace(fields=[category]), {category: typed}).texts[category]
        text = text if category is Category.MESSAGE else contact_details.check(category, text)
        if category is Category.EMAIL:
            judge(RightsAsked(EmailAddress(text)))
        elif category is Category.MESSAGE:
            judge(ContactMessage(ADA, message=MessageText(text)))
        else:
            judge(Signup(ADA, wording=WORDING, **{category.value: TYPES[category](text)}))


def test_a_refusal_repeats_no_value():
    with pytest.raises(EntryRefused) as refused:
        judge(SEALED["a card number in a message"])
    assert "4242" not in str(refused.value)
    assert audience.CountsRefused("x").__class__.__mro__[1] is EntryRefused

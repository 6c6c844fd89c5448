"""What is kept of a person comes back to them whole: where it came from, and which mails went to them."""

import json

import pytest
from django.conf import settings

from tests.conftest import both
from tests.people.files import taken_in, written
from tests.people.people import ADDRESS, answered, drain, mailed_by_a_program, signed_up, signup, with_a_topic
from troth.core import clock, receipts
from troth.gate.models import Delivery
from troth.newsletter import topics
from troth.people import queries
from troth.policy import data_map
from troth.rights import services
from troth.vault import signing_keys
from troth.vault.search import find

HEADS = "email,name,telephone,consent,consent_date"
GOOD = ("ada@example.com,Ada Example,+49 30 901820,,2023-01-31",)


def part_of(person, name):
    told = json.loads(services.export(person, "test").data.reveal())
    return [one["items"] for one in told["parts"] if one["name"] == name]


def test_who_was_brought_by_a_list_is_told_which(site, tmp_path):
    """GDPR, article 15(1)(g): where details come from, if not from the person."""
    taken_in(written(tmp_path / "people.csv", HEADS, *GOOD))
    (ada,) = find("test", "ada@example.com")
    ((step,),) = part_of(ada, "consent")
    assert (step["step"], step["source"]) == ("imported", "fair in May")
    assert dict(queries.consent("operator", ada).facts)["Imported from"] == "fair in May"


def test_who_typed_their_details_themselves_has_no_source(site):
    (steps,) = part_of(signed_up(site).id, "consent")
    assert [step["step"] for step in steps] == ["asked", "confirmed"] and not any("source" in one for one in steps)


@both
def test_the_mails_that_went_are_told_and_those_that_did_not_are_not(site):
    """What was held must not show: whoever typed somebody's details could learn from it that they are stored."""
    person = signed_up(site)
    (first,) = Delivery.objects.all()
    assert part_of(person.id, "mails") == []
    Delivery.objects.update(state="sent", done_at=clock.now())
    for state in Delivery.State:
        if state != Delivery.State.SENT:
            Delivery.objects.create(kind="answer", about=first.id, person=person, state=state, reason="leak")
    (items,) = part_of(person.id, "mails")
    assert [sorted(item) for item in items] == [["mail", "sent"], ["mail", "perhaps_sent"]]
    assert [item["mail"] for item in items] == ["Confirmation", "Reply"]


def test_what_the_policy_says_is_kept_comes_back_and_nothing_is_left_out(site):
    person = signed_up(site)
    answered(site, ADDRESS, "Hello.", "Hello to you.")
    with_a_topic(person)
    mailed_by_a_program(ADDRESS)
    site.submit(signup(ADDRESS, "Wilma Changed"))
    drain()
    Delivery.objects.update(state="sent", done_at=clock.now())
    told = json.loads(services.export(person.id, "test").data.reveal())
    talk = {"message": "messages", "answer": "messages", "mail_data": "emails", "topics": "newsletter"}
    wanted = {talk.get(row.name, row.name) for row in data_map.kept(settings.TROTH_CONFIG)}
    assert {part["name"] for part in told["parts"]} == {*wanted, "newsletter"}
    (items,) = part_of(person.id, "messages")
    assert [next(key for key in item if key != "at") for item in items] == ["you_wrote", "we_answered"]


def receipt_in(person):
    told = json.loads(services.export(person, "test", signed=True).data.reveal())
    (part,) = [part for part in told["parts"] if part["name"] == "consent_receipt"]
    ((receipt,),) = [item.values() for item in part["items"]]
    return receipt


def test_a_person_gets_a_signed_receipt_of_their_consent_that_names_nobody(site):
    topics.create("Releases", "", public=True)
    entry = signup(topics=1, policy=4)
    person = signed_up(site, entry).id
    assert part_of(person, "consent_receipt") == []  # an operator's export: the admin server has no key
    receipt = receipt_in(person)
    checked = receipts.read(receipt.encode(), signing_keys.public_link_keys(), (receipts.CONSENT,))
    asked, confirmed = checked.told["steps"]
    assert (asked["step"], asked["topics"], asked["policy_version"]) == ("asked", "Releases", 4)
    assert asked["sha256_of_the_sentence"] == entry.wording.hex() and asked["at"] <= confirmed["at"]
    assert "policy_version" not in confirmed
    local, _, domain = ADDRESS.partition("@")
    assert local not in receipt and domain not in receipt.replace(settings.TROTH_CONFIG.site.url, "")
    facts = queries.consent("operator", person).facts
    assert ("Privacy policy", "Version 4") in facts and ("Topics", "Releases") in facts


def test_a_receipt_of_consent_stands_for_no_other_and_no_altered_one_is_good(site):
    receipt = receipt_in(signed_up(site).id)
    with pytest.raises(receipts.ReceiptRefused):
        receipts.read(receipt.encode())  # of an erasure
    with pytest.raises(receipts.ReceiptRefused):
        receipts.read(receipt.replace("confirmed", "confirmeD").encode(), None, (receipts.CONSENT,))
    erased = signing_keys.sign_receipt({"erasure": "x"})
    with pytest.raises(receipts.ReceiptRefused):
        receipts.read(erased.encode(), None, (receipts.CONSENT,))
    assert receipts.read(erased.encode(), None, (receipts.ERASURE, receipts.CONSENT)).kind == receipts.ERASURE

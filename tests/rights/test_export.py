"""What is kept of a person comes back to them whole: where it came from, and which mails went to them."""

import json

from django.conf import settings

from tests.conftest import both
from tests.people.files import taken_in, written
from tests.people.people import ADDRESS, answered, drain, signed_up, signup
from troth.core import clock
from troth.gate.models import Delivery
from troth.people import queries
from troth.policy import data_map
from troth.rights import services
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
    site.submit(signup(ADDRESS, "Wilma Changed"))
    drain()
    Delivery.objects.update(state="sent", done_at=clock.now())
    told = json.loads(services.export(person.id, "test").data.reveal())
    talk = {"message": "messages", "answer": "messages"}
    wanted = {talk.get(row.name, row.name) for row in data_map.kept(settings.TROTH_CONFIG)}
    assert {part["name"] for part in told["parts"]} == {*wanted, "newsletter"}
    (items,) = part_of(person.id, "messages")
    assert [next(key for key in item if key != "at") for item in items] == ["you_wrote", "we_answered"]

"""Correct, export, freeze and erase in the console: what each does, refuses, and writes in the ledger."""

import json
import uuid

import pytest

from tests.conftest import both
from tests.office.test_people import uses
from tests.office.test_roles import sign_in
from tests.worker.test_intake import confirm_link, drain
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Reason
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.kit.roles import Role
from troth.newsletter.models import Request, Subscription
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person
from troth.worker.composers import COMPOSERS
from troth.worker.intake import Intake

PATHS = ("edit/", "export/", "restrict/", "delete/")


def corrected(**changes):
    return {"email": "ada@example.com", "name": "Ada", "telephone": "", "postal_address": "", "company": "", **changes}


@both
def test_what_is_corrected_takes_the_place_of_what_was_and_is_found_by_it(desk, people):
    ada = people()
    answer = desk.post(f"/people/{ada}/edit/", corrected(email="ada@new.example", name="Ada Newer"))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/people/{ada}/")
    page = desk.get(f"/people/{ada}/").content.decode()
    assert "ada@new.example" in page and "Ada Newer" in page and "Ada Example" not in page
    assert keeper().find("test", EmailAddress("ada@new.example")) == ada
    assert keeper().find("test", EmailAddress("ada@example.com")) is None
    assert keeper().find_all("test", "name", PersonName("Ada Example")) == []
    assert Reason.CORRECT_PERSON in {use.reason for use in uses()}


@both
def test_an_address_that_is_somebody_elses_is_refused_and_nothing_changes(desk, people):
    ada, _ = people(), people("bo@example.com", "Bo")
    answer = desk.post(f"/people/{ada}/edit/", corrected(email="BO@example.com", name="Changed"))
    assert answer.status_code == 422
    assert "belongs to another person" in answer.content.decode()
    assert "Ada Example" in desk.get(f"/people/{ada}/").content.decode()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *[("email", one) for one in ("", "no address", "ada@", "ada@localhost", "x" * 300 + "@example.com")],
        ("email", "\u0430\u0434\u0430@example.com"),
        ("email", "4242 4242 4242 4242@example.com"),
        ("telephone", "none"),
        ("telephone", "twelve, or so"),
        ("name", "Ada\u202eelpmaxE"),
        ("name", "A\x07da"),
        ("company", "Lost \ufffd"),
        ("postal_address", "x" * 501),
    ],
)
def test_what_no_public_form_would_take_is_refused_here_too(desk, people, field, wrong):
    ada = people()
    answer = desk.post(f"/people/{ada}/edit/", corrected(**{field: wrong}))
    assert answer.status_code == 422
    assert keeper().find("test", EmailAddress("ada@example.com")) == ada
    assert "Ada Example" in desk.get(f"/people/{ada}/").content.decode()


def test_a_card_number_is_masked_before_it_is_kept_and_the_operator_is_told(desk, people):
    ada = people()
    desk.post(f"/people/{ada}/edit/", corrected(company="4242 4242 4242 4242"))
    page = desk.get(f"/people/{ada}/").content.decode()
    assert "4242 4242" not in page and "A card number was removed" in page
    desk.post(f"/people/{ada}/edit/", corrected(company="Example Ltd"))
    assert "A card number was removed" not in desk.get(f"/people/{ada}/").content.decode()


def test_a_form_that_comes_back_repeats_no_card_number(desk, people):
    answer = desk.post(f"/people/{people()}/edit/", corrected(email="ada@", company="4242 4242 4242 4242"))
    page = answer.content.decode()
    assert answer.status_code == 422 and "4242 4242" not in page
    assert "•••• 4242" in page and "A card number was removed" in page


def test_a_sign_up_that_waits_at_the_old_address_is_over(desk, people, site):
    ada = people()
    link = confirm_link(Request.objects.get())
    desk.post(f"/people/{ada}/edit/", corrected(email="ada@new.example"))
    site.submit(link)
    drain()
    assert Subscription.objects.get().state == "waiting"


@both
def test_an_export_is_a_file_and_in_the_ledger(desk, people):
    ada = people()
    answer = desk.post(f"/people/{ada}/export/", {"form": "json"})
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "ada" not in answer.headers["Content-Disposition"]
    told = json.loads(answer.content)
    assert told["parts"][0]["items"] == [{"email": "ada@example.com", "name": "Ada Example"}]
    assert {use.reason for use in uses()} == {Reason.EXPORT_PERSON, Reason.EXPORT_CONSENT}
    page = desk.post(f"/people/{ada}/export/", {"form": "html"}).content.decode()
    assert "Ada Example" in page and "<script" not in page
    assert desk.get(f"/people/{ada}/export/").status_code == 405
    assert desk.post(f"/people/{ada}/export/", {"form": "pdf"}).status_code == 404


def test_hostile_text_is_inert_in_the_page_to_take_along(desk, people):
    ada = people(name="<script>alert(1)</script>")
    page = desk.post(f"/people/{ada}/export/", {"form": "html"}).content.decode()
    assert "<script>" not in page and "&lt;script&gt;" in page


@both
def test_who_is_frozen_gets_no_mail_and_is_in_no_list(desk, people):
    ada = people()
    assert desk.post(f"/people/{ada}/restrict/", {"frozen": "yes"}).status_code == 302
    assert "ada@example.com" not in desk.get("/people/").content.decode()
    assert "ada@example.com" in desk.get(f"/people/{ada}/").content.decode()
    assert outbox.claim(10, COMPOSERS) == []
    assert Delivery.objects.get().state == "suppressed"
    desk.post(f"/people/{ada}/restrict/", {"frozen": "no"})
    assert "ada@example.com" in desk.get("/people/").content.decode()


@both
def test_erasing_asks_first_and_ends_in_a_receipt(desk, people):
    ada = people()
    assert "cannot be undone" in desk.get(f"/people/{ada}/delete/").content.decode()
    assert Erasure.objects.count() == 0
    answer = desk.post(f"/people/{ada}/delete/")
    place = answer.headers["Location"]
    assert "Deleting" in desk.get(place).content.decode()
    assert desk.get(place + "receipt.json").status_code == 404
    Intake().turn()
    assert "Contact details: 1" in desk.get(place).content.decode()
    assert json.loads(desk.get(place + "receipt.json").content)["number"] == 1
    assert desk.get(f"/people/{ada}/").status_code == 404
    assert not Person.objects.exists()


@pytest.mark.parametrize("path", PATHS)
def test_nobody_there_is_a_404(desk, path):
    nobody = uuid.UUID("018f0000-0000-7000-8000-000000000000")
    assert desk.post(f"/people/{nobody}/{path}", {"form": "json"}).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_an_analyst_does_none_of_it(site, people, path):
    ada = people()
    assert sign_in(Role.ANALYST).post(f"/people/{ada}/{path}", {"form": "json"}).status_code == 403
    assert Erasure.objects.count() == 0

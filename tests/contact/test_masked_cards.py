"""Card numbers that were masked in what visitors sent are counted, and operators are told how many (B2)."""

from datetime import date

from tests.conftest import both
from tests.contact.conftest import message
from tests.worker.test_intake import drain, signup
from troth.audience.api import tokens
from troth.audience.counting import commit
from troth.audience.models import Annotation, ApiToken
from troth.audience.queries import annotations
from troth.core.personal import EmailAddress
from troth.office import metrics, operators, system_status
from troth.office.models import Operator
from troth.vault import masked_cards, row_counts, site_status
from troth.vault.keeper import keeper
from troth.vault.models import Canary, Tally

MASKED = "My card is •••• 4242, and the other •••• 4444."


@both
def test_each_is_counted_once_in_messages_and_sign_ups(site):
    assert masked_cards.total() == 0
    site.submit(message(text=MASKED))
    drain()
    assert masked_cards.total() == 2
    site.submit(message("bo@example.com", "•••• 1111", name="•••• 0005"), message(text="•••• and 4242, but no number"))
    site.submit(signup("cy@example.com", "Cy •••• 9424"))
    drain()
    assert masked_cards.total() == 5
    row_counts.fold()
    assert masked_cards.total() == 5
    assert Tally.objects.filter(name="masked_cards").count() == 1


@both
def test_those_of_invented_people_are_not(site):
    site.submit(message("eve@example.com", "Hello"))
    drain()
    person = keeper().find("worker", EmailAddress("eve@example.com"))
    Canary.objects.create(person_id=person)
    site.submit(message("eve@example.com", MASKED))
    drain()
    assert masked_cards.total() == 0


def test_a_message_that_was_filed_before_counts_no_second_time(site):
    entry = message(text=MASKED)
    envelope = site.key().seal(entry)
    site.spooled(envelope, kind=int(entry.kind))
    site.spooled(envelope, kind=int(entry.kind))
    drain()
    assert masked_cards.total() == 2


def test_operators_are_told(site):
    site.submit(message(text=MASKED))
    drain()
    assert site_status.read().card_numbers_masked == 2
    assert "troth_card_numbers_masked 2\n" in "".join(metrics.lines(system_status.gather()))


def test_what_operators_write_elsewhere_is_masked_too(site):
    annotations.add(date(2026, 11, 30), "Paid with 4242 4242 4242 4242")
    assert annotations.text_of(Annotation.objects.get().id) == "Paid with •••• 4242"
    tokens.add("card 4242-4242-4242-4242")
    assert ApiToken.objects.get().name == "card •••• 4242"
    operators.add("Ada 5555 5555 5555 4444", "ada@example.com")
    assert Operator.objects.get().name == "Ada •••• 4444"


def test_the_worker_remembers_only_names_without_a_card_number():
    assert commit._without_cards("/pay/4242424242424242") == "/pay/•••• 4242"
    assert commit._without_cards("/pay") == commit._without_cards("/pay") == "/pay"
    assert "/pay" in commit._clean
    assert not any("4242424242424242" in name for name in commit._clean)

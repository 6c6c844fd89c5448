"""One cause is one alarm: names and numbers hold a few mails and then no more, until an owner has judged them."""

import asyncio

import pytest
from django.conf import settings as site_settings

from tests.conftest import both
from tests.contact.conftest import message
from tests.gate.relays import Handler, relay, settings
from tests.office.test_roles import sign_in
from tests.people.people import answered, signed_up, signup
from tests.worker.test_intake import drain
from troth.contact.models import Thread
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Category, Reason
from troth.gate import causes, mailer, outbox
from troth.gate.causes import MOST
from troth.gate.mailer import Post
from troth.gate.models import Cause, Delivery
from troth.kit.roles import Role
from troth.rights import held_exports, services
from troth.rights.holdings import dealt_with
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow
from troth.vault.records import Details
from troth.worker.composers import COMPOSERS

WORDS = "Lantern Harbour"
TEXT = "See you at the lantern harbour."


def send_all():
    """Send what is due, one mail after the other; each job with its outcome."""

    async def send(port, job):
        async with Post(settings(port), leaks=mailer.leaks(site_settings.TROTH_CONFIG)) as post:
            return await post.send(job.mail, released=job.released)

    done = []
    with relay(Handler()) as port:
        for job in outbox.claim(50, COMPOSERS):
            done.append((job, asyncio.run(send(port, job))))
            outbox.record(*done[-1])
    return done


@pytest.fixture
def stranger(site):
    """Somebody confirmed a sign-up under this name, and nothing of it waits."""
    person = signed_up(site, signup("stranger@example.net", WORDS))
    Delivery.objects.all().delete()
    return person


def answer_many(site, count, text=TEXT):
    for number in range(count):
        answered(site, f"p{number}@example.org", "When do we meet?", text)


def held():
    return Delivery.objects.filter(state="held").count()


@both
def test_a_name_holds_a_few_mails_and_then_no_more(site, stranger):
    answer_many(site, MOST + 3)
    send_all()
    assert (held(), Delivery.objects.filter(state="sent").count()) == (MOST, 3)
    cause = Cause.objects.get()
    assert (cause.person, cause.category, cause.held) == (stranger, "name", MOST)
    assert cause.quiet_at is not None and cause.mails.count() == MOST


def test_an_address_never_goes_quiet_by_itself(site, stranger):
    answer_many(site, MOST + 3, "Ask stranger@example.net.")
    send_all()
    assert held() == MOST + 3 and Cause.objects.get().quiet_at is None


def test_with_another_cause_beside_it_a_mail_is_held_all_the_same(site, stranger):
    signed_up(site, signup("bea@example.net", "Bea Byron"))
    Delivery.objects.all().delete()
    answer_many(site, MOST)
    send_all()
    answered(site, "q@example.org", "Who?", f"{TEXT} Bea Byron comes, too.")
    send_all()
    newest = Delivery.objects.latest("created_at")
    assert newest.state == "held" and [cause.category for cause in newest.causes.all()] == ["name"]
    assert newest.causes.get().person != stranger


def test_an_owner_sees_one_alarm_with_the_words_and_sends_all(site, stranger):
    answer_many(site, MOST)
    send_all()
    client = sign_in(Role.OWNER)
    page = client.get("/held/").content.decode()
    assert page.count(WORDS) == 1 and f"/people/{stranger.id}/" in page and f"send all {MOST}" in page
    uses = [ledger.read(row) for row in LedgerRow.objects.order_by("-number")[:3]]
    assert any(use.reason is Reason.LIST_HELD and use.people == [stranger.id.bytes] for use in uses)
    done = client.post(f"/held/words/{Cause.objects.get().id}/spare/", {"sure": "yes"}, follow=True).content.decode()
    assert f"{MOST} emails will be sent." in done and "No held mail" in done
    send_all()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    answer_many(site, 1)
    send_all()
    assert held() == 0


def test_what_other_words_hold_too_waits_on_and_the_owner_is_told(site, stranger):
    signed_up(site, signup("bea@example.net", "Bea Byron"))
    Delivery.objects.all().delete()
    answered(site, "q@example.org", "Who?", f"{TEXT} Bea Byron comes, too.")
    send_all()
    client = sign_in(Role.OWNER)
    first, second = (f"/held/words/{cause.id}/spare/" for cause in Cause.objects.order_by("id"))
    done = client.post(first, {"sure": "yes"}, follow=True).content.decode()
    assert "1 is still held for other words." in done and "Nothing was held" not in done and held() == 1
    done = client.post(second, {"sure": "yes"}, follow=True).content.decode()
    assert "1 email will be sent." in done and "still held" not in done and held() == 0


def test_what_holds_one_mail_only_may_be_spared_at_once(site, stranger):
    answer_many(site, 1)
    send_all()
    client = sign_in(Role.OWNER)
    client.post(f"/held/words/{Cause.objects.get().id}/spare/", {"sure": "yes"})
    answer_many(site, 2)
    send_all()
    assert held() == 0


def test_a_leak_is_dropped_and_holds_again_as_before(site, stranger):
    answer_many(site, MOST)
    send_all()
    client = sign_in(Role.OWNER)
    done = client.post(f"/held/words/{Cause.objects.get().id}/uphold/", {"sure": "yes"}, follow=True).content.decode()
    assert f"{MOST} emails will not be sent." in done
    assert set(Delivery.objects.values_list("state", flat=True)) == {"suppressed"}
    answer_many(site, MOST + 1)
    send_all()
    assert held() == MOST


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_nobody_but_an_owner_decides(site, stranger, role):
    answer_many(site, 1)
    send_all()
    ident = Cause.objects.get().id
    client = sign_in(role)
    for what in ("spare", "uphold"):
        assert client.post(f"/held/words/{ident}/{what}/").status_code == 403
    assert held() == 1 and Cause.objects.get().quiet_at is None


def test_the_same_words_of_another_person_are_quiet_too(site, stranger):
    answer_many(site, 1)
    send_all()
    causes.spare(Cause.objects.get().id)
    signed_up(site, signup("other@example.net", WORDS.upper()))
    Delivery.objects.all().delete()
    answer_many(site, 1)
    send_all()
    assert held() == 0


def test_other_details_are_looked_for_again(site, stranger):
    answer_many(site, 1)
    send_all()
    causes.spare(Cause.objects.get().id)
    services.correct(stranger.id, Details(EmailAddress("stranger@example.net"), PersonName("Cy Byron")), "shell")
    Delivery.objects.all().delete()
    answer_many(site, 1, "Ask Cy Byron.")
    send_all()
    assert held() == 1 and Cause.objects.get().quiet_at is None


def test_a_rebuilt_index_is_quiet_about_the_same(site, stranger):
    answer_many(site, 1)
    send_all()
    causes.spare(Cause.objects.get().id)
    keeper().rebuild_index(dealt_with)
    causes.hush_again()
    Delivery.objects.all().delete()
    answer_many(site, 1)
    send_all()
    assert held() == 0


def test_who_is_erased_leaves_no_cause_behind(site, stranger):
    answer_many(site, 1)
    send_all()
    keeper().marks.hush(stranger.slot, Category.NAME)
    keeper().erase([stranger.id])
    assert not Cause.objects.exists() and held() == 1
    connection = keeper().marks._connection()
    assert connection.execute("SELECT count(*) FROM quiet").fetchone() == (0,)
    assert sign_in(Role.OWNER).get("/held/").status_code == 200


def test_their_own_mail_stays_their_own_when_their_address_is_quiet(site, stranger):
    keeper().marks.hush(stranger.slot, Category.EMAIL)
    site.submit(message("stranger@example.net", name=WORDS))
    drain()
    answered(site, "stranger@example.net", "Hello", f"Dear {WORDS}, it works.")
    assert {outcome.__class__.__name__ for _, outcome in send_all()} == {"Sent"}


def test_exports_have_the_same_causes(site, stranger):
    ada = answered(site, "ada@example.com", "Where?", TEXT)
    Delivery.objects.all().delete()
    with pytest.raises(held_exports.ExportHeld):
        held_exports.take(ada, "shell")
    client = sign_in(Role.OWNER)
    assert WORDS in client.get("/held/").content.decode()
    done = client.post(f"/held/words/{Cause.objects.get().id}/spare/", {"sure": "yes"}, follow=True).content.decode()
    assert "1 export can be downloaded for a day." in done
    assert held_exports.take(ada, "shell") is not None


def test_a_held_answer_leads_to_its_conversation(site, stranger):
    answer_many(site, 1)
    send_all()
    client = sign_in(Role.OWNER)
    assert '<a href="/held/">' in client.get("/").content.decode()
    page = client.get("/held/").content.decode()
    thread = Thread.objects.get().id
    assert f'<a href="/inbox/{thread}/">' in page
    assert TEXT in client.get(f"/inbox/{thread}/").content.decode()
    assert '<a href="/held/">' not in sign_in(Role.CLERK).get("/").content.decode()

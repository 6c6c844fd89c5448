"""What sign-ups and links do to a person, and what they never do, whoever sends them."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.conftest import both
from troth.core import clock, ids
from troth.core.entry import Came, came
from troth.core.errors import TrothError
from troth.core.intake_counts import Count
from troth.core.personal import Company, EmailAddress, PersonName, Telephone
from troth.core.purpose import Reason
from troth.core.signed_links import Act, LinkSigner
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.newsletter import services
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import Request, Subscription
from troth.people import queries
from troth.vault import ledger, signing_keys
from troth.vault.keeper import keeper, read_site_id
from troth.vault.models import AsideItem, LedgerRow, Person, Record
from troth.worker.composers import COMPOSERS
from troth.worker.intake import Intake

WORDING = hashlib.sha256(b"yes").digest()
OPERATOR = uuid.UUID(int=42)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def held(site, monkeypatch):
    """A site of which nobody knows yet, and a clock that stands; ids follow it."""
    assert Person.objects.count() == 0
    monkeypatch.setattr(ids, "_last", 0)
    with clock.hold(NOW) as held:
        yield held


def signup(address="anna@example.com", name="Anna", **more):
    return Signup(EmailAddress(address), PersonName(name) if name else None, wording=WORDING, **more)


def sign_up(*entries):
    return services.file_signups([came(ids.new_id(), entry) for entry in entries or (signup(),)])


def use(link, act=Act.CONFIRM, *, at=None):
    one = came(ids.new_id(), LinkUsed(int(act), link))
    return dict(services.use_links([one if at is None else Came(one.entry_id, one.entry, at)]))


def confirm_link(request=None):
    request = request or Request.objects.latest("created_at", "id")
    return signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at)


def leave_link():
    return signing_keys.signer().sign(Act.UNSUBSCRIBE, Subscription.objects.get().id)


def state():
    return Subscription.objects.get().state


def details():
    who = Person.objects.get().id
    (found,) = keeper().open_records(Reason.SHOW_PERSON, actor=OPERATOR, person_ids=[who])[who]
    return found


def confirmed():
    sign_up()
    assert use(confirm_link()) == {"confirmed": 1}


# -- signing up -------------------------------------------------------------------------------------------------------


@both
def test_a_thousand_signups_of_one_victim_give_two_mails(held):
    spelled = ["victim@example.com", "Victim@Example.com", " victim@example.com", "VICTIM@EXAMPLE.COM"]
    for batch in range(4):
        sign_up(*[signup(spelled[number % 4]) for number in range(250)])
        held.move(minutes=batch)
    assert Person.objects.count() == Subscription.objects.count() == 1
    assert Request.objects.count() == 1000
    counts = outbox.counts()
    assert counts["queued"] == 2 and counts["suppressed"] == 998
    assert set(Delivery.objects.filter(state="suppressed").values_list("reason", flat=True)) == {"person_cap"}
    assert len(outbox.claim(1000, COMPOSERS)) == 2
    assert state() == "waiting"
    held.move(days=1, minutes=10)
    sign_up(*[signup()] * 10)
    assert outbox.counts()["queued"] == 2  # the next day, two more


@both
def test_however_one_mailbox_is_spelled_it_gets_two_mails_and_whoever_has_it_can_still_confirm(held):
    """List bombing by spelling: the caps know the mailbox, the mail goes to the spelling that was typed."""
    typed = ["a.nna@gmail.com", "an.na@gmail.com", "anna@googlemail.com", "Anna+1@gmail.com", "a.n.n.a+2@gmail.com"]
    sign_up(*(signup(one) for one in typed))
    sign_up(signup("anna@gmail.com"))
    queued = Delivery.objects.filter(state=Delivery.State.QUEUED, kind="confirmation")
    assert queued.count() == 2
    mails = COMPOSERS["confirmation"](list(queued))
    assert {mail.to.reveal() for mail in mails.values()} == {"a.nna@gmail.com", "an.na@gmail.com"}
    request = Request.objects.get(id=queued.latest("id").about)
    assert use(confirm_link(request)) == {Count.CONFIRMED: 1}
    held.move(days=1, minutes=1)
    sign_up(signup("anna@gmail.com"))
    assert queued.all().count() == 3


def test_addresses_that_look_alike_at_an_unknown_host_wait_and_are_not_shut_out(held, settings):
    newsletter = msgspec.structs.replace(settings.TROTH_CONFIG.newsletter, similar_addresses_per_day=3)
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, newsletter=newsletter)
    sign_up(*(signup(f"an.na{number}@example.com") for number in range(7)))
    due = Delivery.objects.filter(state=Delivery.State.QUEUED)
    assert due.filter(next_at__lte=clock.now()).count() == 3 and due.count() == 7
    sign_up(signup("berta@example.com"))
    assert due.filter(next_at__lte=clock.now()).count() == 4


def test_many_signups_of_one_mailbox_give_two_mails_whatever_stands_behind_the_plus(held):
    """Found by attack: each was somebody new, and the domain's cap let five hundred an hour through."""
    for start in range(0, 200, 50):
        sign_up(*(signup(f"victim+{number}@example.org") for number in range(start, start + 50)))
    assert Delivery.objects.exclude(state="suppressed").count() == 2
    assert Subscription.objects.count() == 200


def test_a_batch_is_one_ledger_row_and_all_its_people_are_in_it(held):
    sign_up(*[signup(f"a{number}@example.com") for number in range(50)])
    (row,) = LedgerRow.objects.all()
    use_ = ledger.read(row)
    assert (use_.reason, use_.actor, use_.count) == (Reason.FILE_SUBMISSION, "worker", 50)
    assert Person.objects.count() == Delivery.objects.filter(state="queued").count() == 50


def test_nothing_of_what_was_typed_is_in_a_column(held):
    sign_up(signup("anna.secret@example.com", "Anna Secret", telephone=Telephone("+44 20 7946 0000")))
    use(confirm_link())
    for model in (Person, Record, Subscription, Request, Delivery, LedgerRow):
        for row in model.objects.values():
            text = repr({name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}).lower()
            assert "secret" not in text and "7946" not in text
            assert "example.com" not in text.replace(f"@{'example.com'}>", "")  # the sender's, in a Message-ID


def test_no_signups_are_nothing(held):
    assert services.file_signups([]) == {"signups": 0}
    assert LedgerRow.objects.count() == 0


def test_a_signup_of_somebody_elses_address_changes_neither_details_nor_state(held):
    confirmed()
    sign_up(signup(name="Mallory", company=Company("Evil")))
    assert details().name.reveal() == "Anna" and details().company is None
    assert state() == "confirmed"
    shown = queries.person(OPERATOR, Person.objects.get().id)
    assert [value.reveal() for _, value in shown.details] == ["anna@example.com", "Anna"]


@both
def test_newer_details_hold_once_the_person_confirms_them_and_what_was_left_empty_stays(held):
    sign_up(signup(telephone=Telephone("+44 20 7946 0000")))
    use(confirm_link())
    sign_up(signup("Anna@Example.com", "Anna Newer", company=Company("Example Ltd")))
    assert use(confirm_link()) == {"confirmed": 1}
    found = details()
    assert (found.email.reveal(), found.name.reveal()) == ("Anna@Example.com", "Anna Newer")
    assert (found.telephone.reveal(), found.company.reveal()) == ("+44 20 7946 0000", "Example Ltd")
    assert Record.objects.filter(kind="pending").count() == 0 and Record.objects.filter(kind="details").count() == 1


def test_details_of_a_waiting_person_are_those_of_the_request_that_is_confirmed(held):
    sign_up(signup(name="Mallory", company=Company("Evil")))
    sign_up(signup(name="Anna"))
    use(confirm_link())
    assert details().name.reveal() == "Anna" and details().company is None


# -- confirming -------------------------------------------------------------------------------------------------------


@both
def test_confirming_once_is_confirming_and_again_is_nothing(held):
    sign_up()
    link = confirm_link()
    assert use(link) == {"confirmed": 1}
    held.move(hours=1)
    assert use(link) == {"links_without_effect": 1}
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.confirmed_at) == ("confirmed", NOW)
    assert Record.objects.filter(kind="consent").count() == 2  # asked, confirmed


def forged(request):
    foreign = LinkSigner(uuid.uuid4(), 1, signing_keys._link_keys(services.settings.TROTH_SITE.root)[1])
    good = confirm_link(request)
    yield good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")
    yield good[:-1]
    yield foreign.sign(Act.CONFIRM, request.id, request.expires_at)
    yield signing_keys.signer().sign(Act.UNSUBSCRIBE, request.id)
    yield ""
    yield "x" * 10_000
    yield "\N{SNOWMAN}" * 116


def test_forged_foreign_and_broken_links_change_nothing(held):
    sign_up()
    for link in forged(Request.objects.get()):
        assert use(link) == {"links_refused": 1}
    for act in (0, 3, 99, 2**40, -1):
        assert use(confirm_link(), act) == {"links_refused": 1}
    assert use(signing_keys.signer().sign(Act.CONFIRM, uuid.uuid4())) == {"links_without_effect": 1}
    assert use(signing_keys.signer().sign(Act.UNSUBSCRIBE, uuid.uuid4()), Act.UNSUBSCRIBE) == {
        "links_without_effect": 1
    }
    assert state() == "waiting" and Request.objects.get().state == "open"


def test_an_expired_link_is_refused_by_when_it_was_used_and_not_by_when_it_was_read(held):
    sign_up()
    link, expires = confirm_link(), Request.objects.get().expires_at
    held.at = expires + timedelta(days=2)
    assert use(link, at=expires + timedelta(minutes=1)) == {"links_refused": 1}
    assert state() == "waiting"
    assert use(link, at=expires - timedelta(minutes=1)) == {"confirmed": 1}


def test_a_forged_link_is_not_saved_by_a_time_before_its_end(held):
    sign_up()
    link, expires = confirm_link(), Request.objects.get().expires_at
    held.at = expires + timedelta(days=2)
    forged_ = link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")
    assert use(forged_, at=expires - timedelta(days=1)) == {"links_refused": 1}


def test_an_entry_is_never_from_the_future_and_its_id_must_tell_its_time(held):
    held.move(days=3)
    ahead = ids.new_id()
    held.move(days=-3)
    assert came(ahead, signup()).at == NOW
    with pytest.raises(ValueError, match="UUIDv7"):
        came(uuid.uuid4(), signup())


# -- leaving ----------------------------------------------------------------------------------------------------------


@both
def test_leaving_is_once_and_an_old_confirm_link_does_not_bring_back(held):
    sign_up()
    old = confirm_link()
    sign_up()
    other = confirm_link()
    assert use(old) == {"confirmed": 1}
    held.move(hours=1)
    assert use(leave_link(), Act.UNSUBSCRIBE) == {"left": 1}
    assert use(leave_link(), Act.UNSUBSCRIBE) == {"links_without_effect": 1}
    for link in (old, other):
        assert use(link) == {"links_without_effect": 1}
    assert state() == "left" and Subscription.objects.get().left_at == NOW + timedelta(hours=1)


def test_leaving_while_waiting_is_leaving(held):
    sign_up()
    assert use(leave_link(), Act.UNSUBSCRIBE) == {"left": 1}
    assert use(confirm_link()) == {"links_without_effect": 1}
    assert state() == "left"


@both
def test_who_left_and_signs_up_again_is_back_once_they_confirm_and_only_with_what_they_gave_now(held):
    sign_up(signup(telephone=Telephone("+44 20 7946 0000")))
    use(confirm_link())
    use(leave_link(), Act.UNSUBSCRIBE)
    held.move(hours=1)
    sign_up(signup(name="Anna Again"))
    assert state() == "left"
    assert use(confirm_link()) == {"confirmed": 1}
    assert state() == "confirmed" and Subscription.objects.get().left_at is None
    assert details().name.reveal() == "Anna Again" and details().telephone is None


def test_leaving_links_do_not_expire(held):
    confirmed()
    link = leave_link()
    held.move(days=2000)
    assert use(link, Act.UNSUBSCRIBE) == {"left": 1}


# -- keys of links ----------------------------------------------------------------------------------------------------


def test_a_missing_signing_key_is_an_error_with_a_mend(held, site):
    (site.sign_keys / "1.key").unlink()
    with pytest.raises(TrothError, match="keys/sign/") as error:
        signing_keys.signer()
    assert "backup" in error.value.mend


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_signing_key_that_is_not_whole_is_named_with_a_mend(held, site, content):
    (site.sign_keys / "1.key").write_bytes(content)
    with pytest.raises(TrothError, match=r"keys/sign/1\.key") as error:
        signing_keys.signer()
    assert "backup" in error.value.mend


def test_the_newest_key_signs_and_all_verify(held, site):
    old = LinkSigner(read_site_id(site), 1, signing_keys._link_keys(site.root)[1])
    signing_keys._link_keys.cache_clear()
    (site.sign_keys / "12.key").write_bytes(bytes(range(32)))
    for name in ("0.key", "256.key", "old.key"):
        (site.sign_keys / name).write_bytes(bytes(32))
    assert signing_keys.public_link_keys().keys() == {1, 12}
    assert signing_keys.signer()._number == 12
    for signer in (old, signing_keys.signer()):
        assert signing_keys.verifier().verify(signer.sign(Act.CONFIRM, site.id), Act.CONFIRM).subject == site.id


# -- forgetting -------------------------------------------------------------------------------------------------------


@both
def test_who_never_confirmed_is_forgotten_after_a_grace_and_who_did_is_not(held, site):
    sign_up(signup("stays@example.com"))
    use(confirm_link())
    sign_up(signup("goes@example.com"))
    goes = keeper().find(OPERATOR, EmailAddress("goes@example.com"))
    held.move(hours=48, days=6)
    assert services.purge_expired() == 0
    held.move(days=1, minutes=1)
    assert services.purge_expired() == 1
    assert not Person.objects.filter(id=goes).exists()
    assert keeper().find(OPERATOR, EmailAddress("goes@example.com")) is None
    assert state() == "confirmed" and details().email.reveal() == "stays@example.com"
    assert Request.objects.count() == 1 and services.purge_expired() == 0


def test_an_unconfirmed_second_signup_goes_alone(held):
    confirmed()
    sign_up(signup(name="Mallory"))
    held.move(days=30)
    assert services.purge_expired() == 1
    assert state() == "confirmed" and details().name.reveal() == "Anna"
    assert Record.objects.filter(kind="pending").count() == 0


def test_a_link_of_a_purged_request_does_nothing(held):
    sign_up()
    link, at = confirm_link(), NOW
    held.move(days=30)
    services.purge_expired()
    assert use(link, at=at) == {"links_without_effect": 1}


# -- a captured front -------------------------------------------------------------------------------------------------


@both
def test_hostile_envelopes_are_set_aside_and_never_block_what_comes_after(site):
    class Loose(Signup, frozen=True):
        """A sign-up of other types under the same schema."""

        email: int  # type: ignore[assignment]

    site.submit(Loose(5, wording=WORDING), signup("anna@example.com"))
    intake = Intake()
    while intake.turn().moved:
        pass
    assert AsideItem.objects.get().reason == "unopenable"
    assert keeper().find(OPERATOR, EmailAddress("anna@example.com"))


@both
def test_a_sweep_killed_behind_the_key_is_finished_by_the_next(held, monkeypatch):
    sign_up()
    held.move(days=30)

    def dies(_slots):
        raise SystemExit

    monkeypatch.setattr(keeper().marks, "forget", dies)
    with pytest.raises(SystemExit):
        services.purge_expired()
    monkeypatch.undo()
    assert services.purge_expired() == 1
    assert not Person.objects.exists() and not Subscription.objects.exists() and not Request.objects.exists()

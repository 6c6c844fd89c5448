"""To erase a person: key first, everything else after it, whatever is killed in between."""

import time
import uuid

import pytest

from tests.conftest import both
from tests.people.people import ADDRESS, NAME, drain, signed_up, signup, whole_signup
from troth.core import receipts
from troth.core.personal import EmailAddress, PersonName, Telephone
from troth.core.signed_links import Act
from troth.core.site_files import answer_paths
from troth.gate.models import Delivery
from troth.newsletter.models import Request, Subscription
from troth.rights import answer_files, erasure, requests, services
from troth.rights.entry import ERASE, MAIL, RightsAsked, RightsUsed
from troth.rights.mails import compose_links
from troth.rights.models import RightsRequest
from troth.vault import signing_keys
from troth.vault.errors import KeyErased
from troth.vault.keeper import Keeper, keeper
from troth.vault.models import AsideItem, Erasure, Person, Record
from troth.worker.intake import Intake


def ask_and_compose(site, address=ADDRESS) -> tuple[RightsRequest, str]:
    """A request about one's own record, its mail put together; returns the link."""
    site.submit(RightsAsked(EmailAddress(address)))
    drain()
    request = RightsRequest.objects.latest("created_at")
    mails = compose_links(list(Delivery.objects.filter(kind="rights", about=request.id)))
    url = next(iter(mails.values())).rights_url
    return request, url.partition("#")[0].rpartition("/")[2]


def nothing_left(person: Person) -> None:
    assert not Person.objects.filter(id=person.id).exists()
    for table in (Record, Subscription, Request, Delivery):
        assert table.objects.count() == 0, table
    assert not RightsRequest.objects.filter(person__isnull=False).exists()
    with pytest.raises(KeyErased):
        keeper().store.key(person.slot, person.id)
    for kind, value in (("email", EmailAddress(ADDRESS)), ("name", PersonName(NAME))):
        assert keeper().find_all("test", kind, value) == []
    assert (person.slot, person.id) in keeper().forgotten.all()


@both
def test_erased_a_person_is_gone_and_the_receipt_says_what_went(site):
    person = signed_up(site)
    services.ask_to_erase(person.id, str(uuid.uuid4()))
    started = time.monotonic()
    Intake().turn()
    assert time.monotonic() - started < 1
    nothing_left(person)
    erasure = Erasure.objects.get()
    assert erasure.person is None and erasure.done_at is not None
    told = receipts.read(erasure.receipt.encode(), signing_keys.public_link_keys()).told
    assert told["went"]["Contact details"] == 1 and told["went"]["Consent records"] == 2
    assert told["asked_by"] == "the operator" and told["kept_by_law"] == []
    assert told["key_backups_forget_by"] > told["erased_at"][:10]
    assert str(person.id) not in erasure.receipt and ADDRESS not in erasure.receipt


@both
def test_only_the_suppression_mark_tells(site):
    person = signed_up(site)
    mark = keeper().index.suppression_mark(EmailAddress(ADDRESS))
    assert mark not in keeper().index.suppressed()
    services.ask_to_erase(person.id, services.PERSON)
    Intake().turn()
    assert mark in keeper().index.suppressed()


_STEPS = (
    ("troth.rights.services.details_of", "before anything"),
    ("troth.vault.keeper.Keeper.suppress", "before the mark"),
    ("troth.rights.services.must_keep", "after the mark"),
    ("troth.rights.answer_files.remove", "after the notes"),
    ("troth.vault.erased_list.Forgotten.note", "before the list of the forgotten"),
    ("troth.vault.key_store.KeyStore.erase", "before the key"),
    ("troth.vault.blind_index.BlindIndex.forget", "after the key"),
    ("troth.vault.leak_marks.Marks.forget", "after the index, before the marks"),
    ("django.db.models.query.QuerySet.delete", "after the index"),
    ("troth.vault.keeper.Keeper.tidy", "after the rows"),
    ("troth.vault.signing_keys.sign_receipt", "before the receipt"),
    ("troth.rights.answer_files.write_receipt", "before the receipt lies ready"),
    ("troth.rights.erasure.clock.now", "at the end"),
)


class _Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


@both
@pytest.mark.parametrize(("where", "when"), _STEPS)
def test_killed_at_any_step_it_is_finished_at_the_next_start(site, monkeypatch, where, when):
    person = signed_up(site)
    request, link = ask_and_compose(site)
    site.submit(RightsUsed(link, ERASE))
    intake = Intake()
    assert intake.turn().counts["erasures_asked"] == 1
    with monkeypatch.context() as patched:
        patched.setattr(where, _kill)
        with pytest.raises(_Killed):
            intake.turn()
    site.submit(whole_signup())  # whoever comes meanwhile is somebody new
    drain()
    new = Person.objects.get()
    assert new.id != person.id and Subscription.objects.get().state == "waiting"
    with pytest.raises(KeyErased):
        keeper().store.key(person.slot, person.id)
    erasure = Erasure.objects.get()
    told = receipts.read(erasure.receipt.encode()).told
    assert told["asked_by"] == "the person" and told["went"]["Contact details"] == 1
    assert answer_paths.path(site.public, request.id, answer_paths.RECEIPT).read_text() == erasure.receipt
    assert [path.name for path in answer_paths.folder(site.public).iterdir()] == [f"{request.id.hex}.receipt"]
    assert keeper().find("test", EmailAddress(ADDRESS)) == new.id


def _kill(*_arguments, **_named):
    raise _Killed


@both
def test_who_signs_up_behind_their_erasure_in_one_batch_is_somebody_new(site):
    person = signed_up(site)
    _, link = ask_and_compose(site)
    site.submit(signup(name="Before"), RightsUsed(link, ERASE), signup(name="Afterwards"))
    drain()
    assert Person.objects.get().id != person.id
    assert Request.objects.count() == 1
    found = services.details_of(Person.objects.get().id, services.Reason.SHOW_PERSON, "test")
    assert found.name.reveal() == "Afterwards"


@both
def test_an_envelope_set_aside_goes_with_its_person(site, monkeypatch):
    person = signed_up(site)
    with monkeypatch.context() as patched:
        patched.setattr("troth.newsletter.services._SignUpBatch.file", _refuse)
        site.submit(signup(ADDRESS.upper()), signup("another@example.com"))
        drain()
    assert AsideItem.objects.count() == 2
    services.ask_to_erase(person.id, services.PERSON)
    Intake().turn()
    assert AsideItem.objects.count() == 1
    assert len(list((site.data / "aside").iterdir())) == 1
    assert (
        receipts.read(Erasure.objects.get().receipt.encode()).told["went"]["Failed items (encrypted submissions)"] == 1
    )


def _refuse(*_):
    raise ValueError("poisoned")


@pytest.mark.parametrize("error", [ValueError("poisoned"), PermissionError(13, "of root's")])
def test_an_erasure_that_fails_waits_and_holds_up_nobody(site, monkeypatch, error):
    def refuse(*_):
        raise error

    person = signed_up(site)
    services.ask_to_erase(person.id, services.PERSON)
    intake = Intake()
    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "erase", refuse)
        site.submit(signup("another@example.com"))
        assert intake.turn().counts["signups"] == 1
    assert intake.turn().counts["erased"] == 0  # not before a minute has gone
    assert Intake().turn().counts["erased"] == 1


def test_nobody_corrects_or_freezes_who_is_being_erased(site):
    person = signed_up(site)
    services.ask_to_erase(person.id, services.PERSON)
    details = services.details_of(person.id, services.Reason.SHOW_PERSON, "test")
    for change in (lambda: services.correct(person.id, details, "test"), lambda: services.freeze(person.id)):
        with pytest.raises(services.RightsRefused):
            change()


def test_a_second_wish_to_be_erased_is_the_same_one(site):
    person = signed_up(site)
    _, link = ask_and_compose(site)
    first = services.ask_to_erase(person.id, "shell")
    site.submit(RightsUsed(link, ERASE), RightsUsed(link, ERASE), RightsUsed(link, MAIL))
    drain()
    assert Erasure.objects.get().id == first.id
    assert services.ask_to_erase(person.id, "shell") is None
    assert erasure.waiting() == []


def test_answers_go_when_their_link_has_run_out(site):
    signed_up(site)
    request, _ = ask_and_compose(site)
    assert len(list(answer_paths.folder(site.public).iterdir())) == 1
    assert requests.remove_over() == 0
    RightsRequest.objects.update(expires_at=request.created_at)
    assert requests.remove_over() == 1
    assert list(answer_paths.folder(site.public).iterdir()) == []
    answer_files.write_receipt(uuid.uuid4(), "an orphan")
    assert requests.remove_over() == 1


def test_a_link_for_another_act_erases_nobody(site):
    signed_up(site)
    request, _ = ask_and_compose(site)
    wrong = signing_keys.signer().sign(Act.UNSUBSCRIBE, request.id, request.expires_at)
    site.submit(RightsUsed(wrong, ERASE), RightsUsed(wrong[:-4] + "AAAA", ERASE))
    drain()
    assert Erasure.objects.count() == 0 and Person.objects.count() == 1


def test_details_found_by_number_are_found_no_more(site):
    person = signed_up(site)
    assert keeper().find_all("test", "telephone", Telephone("+49 (30) 90182099")) == [person.id]
    services.ask_to_erase(person.id, "shell")
    Intake().turn()
    assert keeper().find_all("test", "telephone", Telephone("+49 (30) 90182099")) == []

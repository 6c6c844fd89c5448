"""The blind index finds a person by their address however it is spelled, and cannot be read back."""

import os
import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.personal import EmailAddress, PersonName, Telephone
from troth.core.purpose import Purpose
from troth.vault.blind_index import EMAIL, NAME, TELEPHONE, BlindIndex, normalise_email
from troth.vault.errors import KeyStoreError
from troth.vault.records import Details

ADMINISTRATION = Purpose.ADMINISTRATION


@pytest.fixture
def folder(tmp_path):
    for purpose in Purpose:
        (tmp_path / f"index-{purpose.value}.key").write_bytes(os.urandom(32))
    return tmp_path


@pytest.fixture
def index(folder):
    made = BlindIndex(folder)
    yield made
    made.close()


SAME = [
    ("anna@example.com", "ANNA@EXAMPLE.COM"),
    ("anna@example.com", "  anna@example.com\t"),
    ("anna@bücher.example", "Anna@XN--BCHER-KVA.example"),
    ("anna@bücher.example", "anna@bu\u0308cher.example"),
    ("jos\u00e9@example.com", "jose\u0301@example.com"),
    ("stra\u00dfe@example.com", "STRASSE@example.com"),
    ("anna@example\u3002com", "anna@example.com"),
]
OTHER = [
    ("anna@example.com", "anne@example.com"),
    ("anna@example.com", "anna@example.org"),
    ("anna@example.com", "an.na@example.com"),
    ("anna@example.com", "anna+list@example.com"),
    ("anna@example.com", "\u0430nna@example.com"),  # a Cyrillic letter that looks like an a
    ("anna@example.com", "anna@ex\u0430mple.com"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_address_in_two_spellings_is_one(one, other):
    assert normalise_email(EmailAddress(one)) == normalise_email(EmailAddress(other))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_addresses_are_two(one, other):
    assert normalise_email(EmailAddress(one)) != normalise_email(EmailAddress(other))


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_has_a_form_that_is_its_own(local, domain):
    form = normalise_email(EmailAddress(f"{local}@{domain}"))
    assert normalise_email(EmailAddress(form)) == form


def test_digests_differ_by_purpose_and_by_site(index, tmp_path_factory):
    anna = EmailAddress("anna@example.com")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for purpose in Purpose:
        (elsewhere / f"index-{purpose.value}.key").write_bytes(os.urandom(32))
    digests = {one.digest(purpose, EMAIL, anna) for one in (index, BlindIndex(elsewhere)) for purpose in Purpose}
    assert len(digests) == 4 and {len(digest) for digest in digests} == {16}
    assert index.digest(ADMINISTRATION, EMAIL, anna) != index.domain_mark(anna)


def test_a_domains_mark_is_the_same_for_all_its_addresses(index):
    marks = {index.domain_mark(EmailAddress(text)) for text in ("a@example.com", "b@EXAMPLE.com", " c@example.com")}
    assert len(marks) == 1 and marks != {index.domain_mark(EmailAddress("a@example.org"))}


def test_marks_to_count_by_lead_nobody_back_who_has_todays_keys(folder):
    """The database's backups are older than an erasure; the index's keys are not."""
    anna = EmailAddress("anna@example.com")
    one, other = BlindIndex(folder), BlindIndex(folder)
    for mark in (BlindIndex.domain_mark, BlindIndex.mailbox_mark, BlindIndex.skeleton_mark):
        assert mark(one, anna) != mark(other, anna), mark
    assert one.domain_digest("@example.com") != one.domain_mark(anna)


def test_nothing_is_found_by_what_it_is_not(index):
    for kind, value in (("company", PersonName("Anna")), (EMAIL, PersonName("Anna")), (NAME, EmailAddress("Anna"))):
        with pytest.raises(ValueError, match="nothing is found by") as error:
            index.digest(ADMINISTRATION, kind, value)
        assert "Anna" not in str(error.value)


ANNA = Details(EmailAddress("anna@example.com"), PersonName("Ánna van der Meer"), Telephone("+49 30 901820"))


def slots(index, kind, value):
    return index.look_up_all(index.digest(ADMINISTRATION, kind, value), 9)


def test_a_person_is_found_by_each_detail_however_it_is_written(index):
    index.put({7: index.digests(ANNA)})
    for text in ("anna@example.com", "ANNA@example.COM"):
        assert slots(index, EMAIL, EmailAddress(text)) == [7]
    for text in ("Ánna van der Meer", "anna  VAN DER meer", "A\u0301nna van der Meer."):
        assert slots(index, NAME, PersonName(text)) == [7]
    for text in ("+49 30 901820", "0049 (30) 90-18-20", "+4930901820"):
        assert slots(index, TELEPHONE, Telephone(text)) == [7]
    for word in ("anna", "Meer", "DER"):
        assert index.look_up_all(index.word_digest(PersonName(word)), 9) == [7]
    assert index.look_up_all(index.domain_digest("example.com"), 9) == [7]
    assert index.word_digest(PersonName("van der")) is None
    assert slots(index, NAME, PersonName("Anna van der")) == []
    assert slots(index, TELEPHONE, Telephone("+49 30 901821")) == []


def test_who_has_other_details_now_is_found_by_those_alone(index):
    index.put({7: index.digests(ANNA)})
    index.put({7: index.digests(Details(EmailAddress("anna@example.org")))})
    assert slots(index, EMAIL, EmailAddress("anna@example.org")) == [7]
    assert (
        slots(index, EMAIL, ANNA.email)
        == slots(index, NAME, ANNA.name)
        == slots(index, TELEPHONE, ANNA.telephone)
        == []
    )


def test_the_newest_of_many_come_first_and_no_more_than_asked_for(index):
    index.put({slot: index.digests(Details(EmailAddress(f"p{slot}@example.com"))) for slot in range(300)})
    assert index.look_up_all(index.domain_digest("example.com"), 3) == [299, 298, 297]


def test_what_was_added_is_found_by_many_at_once_and_by_another_thread(index):
    wanted = {os.urandom(16): slot for slot in range(1200)}
    index.add(wanted.items())
    assert index.look_up([*wanted, os.urandom(16)]) == wanted
    found = []
    thread = threading.Thread(target=lambda: (found.append(index.look_up(list(wanted))), index.close()))
    thread.start()
    thread.join()
    assert found == [wanted]


def test_all_are_put_or_none(index):
    good = os.urandom(16)
    with pytest.raises(sqlite3.Error):
        index.put({1: {good}, object(): {os.urandom(16)}})
    assert index.look_up([good]) == {}
    index.put({1: {good}})  # and no transaction was left open
    assert index.look_up([good]) == {good: 1}


def test_who_is_forgotten_is_not_found_and_not_in_the_files(index, folder):
    gone, stays = os.urandom(16), os.urandom(16)
    index.put({1: {gone}, 3: {stays}})
    index.forget([1])
    assert index.look_up([gone, stays]) == {stays: 3}
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert stays in held
    assert gone not in held


def test_no_detail_is_in_the_files(index, folder):
    index.put({1: index.digests(ANNA)})
    index.suppress([index.suppression_mark(ANNA.email)], "2026-11-25")
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"anna" not in held and b"example" not in held and b"901820" not in held


def test_a_suppressed_address_is_known_however_it_is_spelled(index):
    mark = index.suppression_mark(ANNA.email)
    index.suppress([mark], "2026-11-25")
    assert index.suppression_mark(EmailAddress(" Anna@EXAMPLE.com")) in index.suppressed()
    assert index.suppression_mark(EmailAddress("ann@example.com")) not in index.suppressed()
    assert index.suppressed() == {mark}
    assert mark not in index.digests(ANNA)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("content", [None, b"", bytes(31), bytes(33)])
def test_a_lost_cut_or_wrong_index_key_is_named_with_a_mend(folder, purpose, content):
    path = folder / f"index-{purpose.value}.key"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(KeyStoreError, match=f"keys/people/{path.name}") as error:
        BlindIndex(folder)
    assert "backup" in error.value.mend


def test_whoever_is_forgotten_is_not_found_by_what_they_share_with_others(index):
    gone, other = (
        index.digests(Details(EmailAddress(f"{name}@example.com"), PersonName(f"Wilma {name.title()}")))
        for name in ("oddsworth", "evenworth")
    )
    index.put({1: gone, 2: other})
    assert index.leads_to((1, 2), gone) and index.leads_to((1,), other)  # both are called Wilma
    index.forget([1])
    assert not index.leads_to((1,), gone)
    assert index.leads_to((2,), gone)

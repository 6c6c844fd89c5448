"""The blind index finds a person by their address however it is spelled, and cannot be read back."""

import os
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.ground.personal import EmailAddress, PersonName
from troth.ground.purpose import Purpose
from troth.vault.errors import KeyStoreError
from troth.vault.index import EMAIL, BlindIndex, normalise_email

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
    assert len(digests) == 4 and {len(digest) for digest in digests} == {32}
    assert index.digest(ADMINISTRATION, EMAIL, anna)[:16] != index.domain_mark(anna)


def test_a_domains_mark_is_the_same_for_all_its_addresses(index):
    marks = {index.domain_mark(EmailAddress(text)) for text in ("a@example.com", "b@EXAMPLE.com", " c@example.com")}
    assert len(marks) == 1 and marks != {index.domain_mark(EmailAddress("a@example.org"))}


def test_nothing_is_found_by_anything_but_an_address(index):
    for kind, value in (("name", PersonName("Anna")), (EMAIL, PersonName("Anna"))):
        with pytest.raises(ValueError, match="nothing is found by") as error:
            index.digest(ADMINISTRATION, kind, value)
        assert "Anna" not in str(error.value)


def test_what_was_added_is_found_by_many_at_once_and_by_another_thread(index):
    rows = [(os.urandom(32), uuid.uuid4(), slot) for slot in range(1200)]
    index.add(ADMINISTRATION, EMAIL, rows)
    wanted = {digest: (person, slot) for digest, person, slot in rows}
    assert index.look_up([*wanted, os.urandom(32)]) == wanted
    found = []
    thread = threading.Thread(target=lambda: (found.append(index.look_up(list(wanted))), index.close()))
    thread.start()
    thread.join()
    assert found == [wanted]


def test_all_are_added_or_none(index):
    good = (os.urandom(32), uuid.uuid4(), 1)
    with pytest.raises(AttributeError):
        index.add(ADMINISTRATION, EMAIL, [good, (b"x", None, 2)])
    assert index.look_up([good[0]]) == {}
    index.add(ADMINISTRATION, EMAIL, [good])  # and no transaction was left open


def test_who_is_forgotten_is_not_found_and_not_in_the_files(index, folder):
    gone, stays = uuid.uuid4(), uuid.uuid4()
    rows = [(os.urandom(32), gone, 1), (os.urandom(32), gone, 2), (os.urandom(32), stays, 3)]
    index.add(ADMINISTRATION, EMAIL, rows)
    index.forget([gone])
    assert index.look_up([row[0] for row in rows]) == {rows[2][0]: (stays, 3)}
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert stays.bytes in held
    assert gone.bytes not in held and rows[0][0] not in held


def test_no_address_is_in_the_files(index, folder):
    anna = EmailAddress("anna.secret@example.com")
    index.add(ADMINISTRATION, EMAIL, [(index.digest(ADMINISTRATION, EMAIL, anna), uuid.uuid4(), 1)])
    index.domain_mark(anna)
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"anna" not in held and b"example" not in held


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("content", [None, b"", bytes(31), bytes(33)])
def test_a_lost_cut_or_wrong_index_key_is_named_with_a_mend(folder, purpose, content):
    path = folder / f"index-{purpose.value}.key"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(KeyStoreError, match=f"keys/people/{path.name}") as error:
        BlindIndex(folder)
    assert "backup" in error.value.mend

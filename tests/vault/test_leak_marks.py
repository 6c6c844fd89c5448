"""Leak marks: written with a person, gone with them, and telling nothing to who has the file alone."""

import sqlite3
from hashlib import md5, sha1, sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contact.conftest import message
from tests.people.people import answered
from tests.worker.test_intake import confirm_link, drain, leave_link, signup
from troth.core.personal import EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Category
from troth.gate import outbox
from troth.newsletter.models import Request, Subscription
from troth.rights import services
from troth.rights.holdings import dealt_with
from troth.vault.keeper import keeper
from troth.vault.leak_marks import Marks, fold, telephone_forms, words_of
from troth.vault.models import Person
from troth.vault.records import Details
from troth.worker.composers import COMPOSERS

ADA = Details(
    EmailAddress("ada@example.com"),
    PersonName("Ada Lovelace"),
    Telephone("+49 30 1234567"),
    PostalAddress("Ada Lovelace\n12 Main Street\n10115 Berlin"),
)


@pytest.fixture
def marks(tmp_path):
    for purpose in ("administration", "identification"):
        (tmp_path / f"index-{purpose}.key").write_bytes(sha256(purpose.encode()).digest())
    made = Marks(tmp_path)
    yield made
    made.close()


def rows(marks):
    marks.look_up([0])  # makes the tables of a new file
    connection = sqlite3.connect(marks._connection.path)
    try:
        return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("mark", "word", "holder")]
    finally:
        connection.close()


def whose(marks, digest):
    mark = marks.mark(digest)
    return marks.look_up([mark]).get(mark, [])


@pytest.mark.parametrize("hashed", [sha256, sha1, md5])
@pytest.mark.parametrize(
    ("value", "category"),
    [
        ("ada@example.com", Category.EMAIL),
        ("ada lovelace", Category.NAME),
        ("+49301234567", Category.TELEPHONE),
        ("0301234567", Category.TELEPHONE),
        ("ada lovelace 12 main street 10115 berlin", Category.POSTAL_ADDRESS),
    ],
)
def test_each_detail_is_found_by_its_hashes(marks, hashed, value, category):
    marks.put({7: ADA})
    assert whose(marks, hashed(value.encode()).digest()) == [(7, category)]


def test_plain_text_and_its_sha256_share_a_mark(marks):
    assert marks.mark_of("ada@example.com") == marks.mark(sha256(b"ada@example.com").digest())


def test_two_people_of_one_name_are_both_found(marks):
    marks.put({1: ADA, 2: Details(EmailAddress("b@example.com"), PersonName("ADA  LOVELACE"))})
    assert {slot for slot, _ in whose(marks, sha256(b"ada lovelace").digest())} == {1, 2}


@pytest.mark.parametrize("name", ["Ada", "Al Li", "x y", " ", "-"])
def test_a_name_that_is_not_whole_or_too_short_is_not_marked(marks, name):
    marks.put({1: Details(EmailAddress("a@example.com"), PersonName(name))})
    assert {mark & 7 for mark, _ in rows(marks)[0]} == {1}


@pytest.mark.parametrize("number", ["12345", "+49", "0", "abc"])
def test_a_number_that_is_too_short_is_not_marked(number):
    assert telephone_forms(Telephone(number)) == set()


def test_a_number_is_marked_as_it_was_typed_too():
    """The country's rules drop zeros behind its code; who copies the number does not."""
    assert "+910003790446" in telephone_forms(Telephone("+91 00037 90446"))


def test_what_a_person_gave_before_is_replaced(marks):
    marks.put({1: ADA})
    marks.put({1: Details(EmailAddress("new@example.com"))})
    assert whose(marks, sha256(b"ada@example.com").digest()) == []
    assert whose(marks, sha256(b"new@example.com").digest()) == [(1, Category.EMAIL)]
    assert marks.known_words({"ada", "main"}) == (set(), set())


def test_a_word_stays_while_somebody_else_has_it(marks):
    marks.put({1: ADA, 2: Details(EmailAddress("b@example.com"), PersonName("Ada Byron"))})
    marks.forget([1])
    assert marks.known_words({"ada", "byron", "lovelace"})[0] == {"ada", "byron"}


def test_who_is_forgotten_leaves_the_file_as_if_they_had_never_come(marks):
    marks.put({1: Details(EmailAddress("b@example.com"), PersonName("Bea Byron"))})
    before = rows(marks)
    marks.put({2: ADA})
    gone = [mark.to_bytes(8, signed=True) for mark in marks.marks(ADA)]
    marks.forget([2])
    assert rows(marks) == before
    data = b"".join(path.read_bytes() for path in marks._connection.path.parent.glob("marks.sqlite3*"))
    assert not any(mark in data for mark in gone)


def test_the_file_without_the_key_tells_nothing(marks, tmp_path):
    marks.put({1: ADA})
    other = tmp_path / "other"
    other.mkdir()
    (other / "index-administration.key").write_bytes(bytes(32))
    (other / "marks.sqlite3").write_bytes(b"")
    assert Marks(other).marks(ADA).isdisjoint(marks.marks(ADA))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.text(max_size=20), st.text(max_size=12)), max_size=12))
def test_put_and_forget_in_any_order_leave_what_the_last_one_said(marks, steps):
    last = {}
    for slot, name, local in steps:
        details = Details(EmailAddress(f"{local}@example.com"), PersonName(name))
        if len(name) % 3:
            marks.put({slot: details})
            last[slot] = details
        else:
            marks.forget([slot])
            last.pop(slot, None)
    wanted = {(mark, slot) for slot, details in last.items() for mark in marks.marks(details)}
    assert set(rows(marks)[0]) == wanted
    marks.forget(range(10))
    assert rows(marks) == [[], [], []]


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_that_is_compared(text):
    assert words_of(fold(fold(text))) == words_of(fold(text))


# -- who is in it -----------------------------------------------------------------------------------------------------


def confirmed(site, *entries):
    """Have these sign up and confirm."""
    site.submit(*entries)
    drain()
    site.submit(*(confirm_link(request) for request in Request.objects.filter(state="open")))
    drain()


def slots(marks):
    return {slot for slot, _ in rows(marks)[2]}


def test_who_has_not_confirmed_is_not_in_it(site):
    site.submit(signup("ada@example.com", "Ada Lovelace"), message("bea@example.com", name="Bea Byron"))
    drain()
    assert rows(keeper().marks) == [[], [], []]
    site.submit(confirm_link(Request.objects.get()))
    drain()
    ada = Subscription.objects.get().person
    assert slots(keeper().marks) == {ada.slot}
    assert whose(keeper().marks, sha256(b"ada lovelace").digest()) == [(ada.slot, Category.NAME)]


def test_what_a_later_form_brought_is_in_it_once_that_is_confirmed(site):
    confirmed(site, signup("ada@example.com", "Ada Lovelace"))
    site.submit(signup("ada@example.com", "Press The Button"))
    drain()
    assert whose(keeper().marks, sha256(b"press the button").digest()) == []
    site.submit(confirm_link(Request.objects.get(state="open")))
    drain()
    assert len(whose(keeper().marks, sha256(b"press the button").digest())) == 1


def test_who_is_answered_is_in_it(site):
    person = answered(site, "bea@example.com", "Does it print?", "Yes.")
    assert slots(keeper().marks) == set()
    outbox.claim(10, COMPOSERS)
    assert slots(keeper().marks) == {Person.objects.get(id=person).slot}


def test_what_an_operator_corrects_of_a_stranger_puts_nobody_in_it(site):
    site.submit(signup("ada@example.com", "Ada Lovelace"))
    drain()
    person = Person.objects.get()
    details = Details(EmailAddress("ada@example.com"), PersonName("Ada King"))
    services.correct(person.id, details, "shell")
    assert slots(keeper().marks) == set()
    site.submit(confirm_link(Request.objects.get()))
    drain()
    assert whose(keeper().marks, sha256(b"ada king").digest()) == [(person.slot, Category.NAME)]


def test_rebuilding_puts_the_same_people_in_it(site):
    confirmed(site, signup("ada@example.com", "Ada Lovelace"), signup("eve@example.com", "Eve Left"))
    site.submit(leave_link(Subscription.objects.order_by("id").last()), signup("cy@example.com", "Cy Stranger"))
    site.submit(message("dan@example.com", name="Dan Stranger"))
    answered(site, "bea@example.com", "Does it print?", "Yes.")
    outbox.claim(10, COMPOSERS)
    vault = keeper()
    before = [sorted(some) for some in rows(vault.marks)]
    assert len(before[2]) == 3
    assert vault.rebuild_index(dealt_with) == 5
    assert [sorted(some) for some in rows(vault.marks)] == before


def test_a_file_of_before_loses_its_strangers_once(site):
    confirmed(site, signup("ada@example.com", "Ada Lovelace"))
    site.submit(signup("cy@example.com", "Cy Stranger"))
    drain()
    stranger = Person.objects.exclude(id=Subscription.objects.get(state="confirmed").person_id).get()
    vault = keeper()
    vault.marks.put({stranger.slot: Details(EmailAddress("cy@example.com"), PersonName("Cy Stranger")), 99: ADA})
    assert vault.disarm_strangers(dealt_with) == 2
    assert slots(vault.marks) == {Subscription.objects.get(state="confirmed").person.slot}
    assert vault.disarm_strangers(lambda _people: set()) == 0


def test_erasure_takes_them_out(site):
    confirmed(site, signup("ada@example.com", "Ada Lovelace"), signup("bea@example.com", "Bea Byron"))
    vault = keeper()
    assert len(rows(vault.marks)[2]) == 2
    vault.erase(list(Person.objects.values_list("id", flat=True)))
    assert rows(vault.marks) == [[], [], []]


def test_a_restored_copy_forgets_the_marks_again(site):
    confirmed(site, signup("ada@example.com", "Ada Lovelace"))
    vault, person = keeper(), Person.objects.get()
    assert slots(vault.marks) == {person.slot}
    vault.forgotten.note([(person.slot, person.id)])
    vault.forget_again()
    assert rows(vault.marks) == [[], [], []]

"""People come in from a file whole or not at all, with their consent, once; who left or was erased stays out."""

import hashlib
import os
import signal
from datetime import UTC, datetime

import pytest

from tests import forked
from tests.conftest import address_of_the_database, both
from tests.people.files import WORDS, examined, job, taken_in, written
from tests.people.people import ADDRESS, confirm, drain, signed_up, signup
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Reason
from troth.newsletter.models import Subscription
from troth.people import import_job
from troth.people.import_rows import ConsentStatement
from troth.rights import services
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Person, Record
from troth.vault.records import CONSENT
from troth.vault.search import find

HEADS = "email,name,telephone,consent,consent_date"
GOOD = (
    "ada@example.com,Ada Example,+49 30 901820,,2023-01-31",
    '"bert@example.org","Bert, the elder",,"Yes, write to me.",2023-02-28 14:30:00',
    "cleo@example.net,,,,",
)


@pytest.fixture
def people_csv(tmp_path):
    return written(tmp_path / "people.csv", HEADS, *GOOD)


@both
def test_people_are_filed_found_and_confirmed_since_they_agreed(site, people_csv):
    assert taken_in(people_csv) == {"new": 3}
    (bert,) = find("test", "elder")
    place = Subscription.objects.get(person=bert)
    assert (place.state, place.confirmed_at) == ("confirmed", datetime(2023, 2, 28, 14, 30, tzinfo=UTC))
    assert find("test", "@example.com") == find("test", "+49 30 901820") == find("test", "Ada Example")
    details = services.details_of(bert, Reason.SHOW_PERSON, "test")
    assert details.email.reveal() == "bert@example.org"
    assert details.name.reveal() == "Bert, the elder"


def test_who_is_gone_by_one_row_of_a_file_does_not_come_in_by_another(site, tmp_path):
    heads = "email,list,status"
    for name, rows in {
        "gone behind": (
            "ada@example.com,News,subscribed",
            "bert@example.com,News,active",
            "Ada@EXAMPLE.com,Beta,cancelled",
        ),
        "gone before": (
            "ada@example.com,Beta,bounced",
            "ada@example.com,News,subscribed",
            "bert@example.com,News,active",
        ),
    }.items():
        path = written(tmp_path / f"{name}.csv", heads, *rows)
        found = examined(path)
        assert +found.counts == {"away": 2, "new" if name == "gone behind" else "there": 1}
        assert found.away == {"status": 1, import_job.ELSEWHERE: 1}
        assert taken_in(path)["away"] == 2
        assert not find("test", "ada@example.com")
    assert find("test", "bert@example.com")


def test_consent_is_kept_with_its_words_its_day_and_where_it_came_from(site, people_csv):
    taken_in(people_csv)
    (bert,), (cleo,) = find("test", "elder"), find("test", "cleo@example.net")
    opened = keeper().open_records(Reason.SHOW_CONSENT, actor="test", person_ids=[bert, cleo], kind=CONSENT)
    own, stated = opened[bert][0], opened[cleo][0]
    assert (own.step, own.source, own.wording) == (
        "imported",
        "fair in May",
        hashlib.sha256(b"Yes, write to me.").digest(),
    )
    assert stated.wording == hashlib.sha256(WORDS.encode()).digest()
    assert datetime.fromtimestamp(stated.at_ms / 1000, UTC) == datetime(2024, 5, 1, tzinfo=UTC)


def test_the_ledger_has_one_row_for_each_batch(site, people_csv, monkeypatch):
    monkeypatch.setattr(import_job, "BATCH", 2)
    taken_in(people_csv)
    uses = [ledger.read(row) for row in LedgerRow.objects.order_by("number")]
    assert [use.count for use in uses if use.reason is Reason.IMPORT_PEOPLE] == [2, 1]


def test_the_leak_marks_know_them(site, people_csv):
    taken_in(people_csv)
    marks = keeper().marks
    assert marks.look_up([marks.mark_of("ada@example.com")])


@both
def test_the_same_file_again_doubles_nobody(site, people_csv):
    taken_in(people_csv)
    assert taken_in(people_csv) == {"there": 3}
    assert (Person.objects.count(), Record.objects.count(), Subscription.objects.count()) == (3, 6, 3)


def test_the_first_reading_says_the_same_and_writes_nothing(site, people_csv):
    signed_up(site, signup("cleo@example.net", "Cleo"))
    before = LedgerRow.objects.count(), Record.objects.count(), keeper().store.slots
    assert +examined(people_csv).counts == {"new": 2, "there": 1}
    assert before == (LedgerRow.objects.count(), Record.objects.count(), keeper().store.slots)
    assert taken_in(people_csv) == {"new": 2, "there": 1}


def test_somebody_twice_in_the_file_comes_once_as_the_first_row_says(site, tmp_path, monkeypatch):
    monkeypatch.setattr(import_job, "CHUNK", 2)
    lines = (
        "ada@example.com,Ada",
        "bert@example.com,Bert",
        "ADA@Example.com,Eve",
        "cleo@example.com,C",
        "ada@example.com,D",
    )
    path = written(tmp_path / "people.csv", "email,name", *lines)
    assert +examined(path).counts == {"new": 3, "twice": 2}
    assert taken_in(path) == {"new": 3, "twice": 2}
    assert find("test", "Eve") == []
    assert len(find("test", "Ada")) == 1


def test_details_are_left_as_they_are_unless_they_are_to_be_renewed(site, tmp_path):
    person = signed_up(site, signup("wilma@example.com", "Wilma Old"))
    path = written(tmp_path / "people.csv", "email,name,telephone", "wilma@example.com,Wilma New,")
    assert taken_in(path) == {"there": 1}
    assert find("test", "Wilma Old") == [person.id]
    assert taken_in(path, update=True) == {"updated": 1}
    assert (find("test", "Wilma Old"), find("test", "Wilma New")) == ([], [person.id])
    assert Record.objects.filter(person=person, kind="details").count() == 1


def test_who_left_stays_out(site, tmp_path):
    person = signed_up(site)
    Subscription.objects.filter(person=person).update(state="left")
    path = written(tmp_path / "people.csv", "email", ADDRESS.upper())
    assert +examined(path).counts == taken_in(path, update=True) == {"left": 1}
    assert Subscription.objects.get().state == "left"


@both
def test_who_was_erased_stays_out_and_can_come_back_by_themselves(site, tmp_path):
    person = signed_up(site)
    keeper().suppress([EmailAddress(ADDRESS)])
    keeper().erase([person.id])
    path = written(tmp_path / "people.csv", "email", ADDRESS, "ada@example.com")
    assert +examined(path).counts == taken_in(path) == {"erased": 1, "new": 1}
    assert find("test", ADDRESS) == []
    site.submit(signup(ADDRESS, "Wilma"))
    drain()
    assert len(find("test", ADDRESS)) == 1


def test_who_asked_to_be_left_alone_is(site, tmp_path):
    person = signed_up(site)
    services.freeze(person.id)
    path = written(tmp_path / "people.csv", "email,name", f"{ADDRESS},Somebody Else")
    assert +examined(path, update=True).counts == taken_in(path, update=True) == {"frozen": 1}


def test_who_is_known_but_not_on_the_list_joins_it(site, tmp_path):
    person = signed_up(site)
    Subscription.objects.all().delete()
    path = written(tmp_path / "people.csv", "email", ADDRESS)
    assert taken_in(path) == {"joined": 1}
    assert Subscription.objects.get().person_id == person.id


def test_a_sign_up_that_waits_goes_on_waiting(site, tmp_path):
    site.submit(signup())
    drain()
    assert taken_in(written(tmp_path / "people.csv", "email", ADDRESS)) == {"there": 1}
    confirm(site)
    assert Subscription.objects.get().state == "confirmed"


def test_rows_that_say_themselves_that_they_are_off_the_list_stay_out(site, tmp_path):
    lines = ("a@example.com,subscribed", "b@example.com,Unsubscribed", "c@example.com,cleaned", "d@example.com,purple")
    found = examined(written(tmp_path / "people.csv", "email,status", *lines))
    assert +found.counts == {"new": 1, "away": 2, "bad": 1}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("not an address,,,,2023-01-01", "Enter an email address with an @"),
        (",Ada,,,2023-01-01", "The email address is missing."),
        ("ada@example.com,Ada\u202eadA,,,2023-01-01", "invisible"),
        ("ada@example.com,Ada,,,31.01.2023", "Not a date"),
        ("ada@example.com,Ada,,,2999-01-01", "in the future"),
        ("ada@example.com,Ada,,no,2023-01-01", "No consent: the row says no"),
        ("ada@example.com,Ada,,,", "No consent: the row has no date"),
        ("ada@example.com,Ada,,,2023-01-01", "No consent: the row has no consent text"),
        ("ada@example.com,Ada,,yes,2023-01-01", "No consent: the row has no consent text"),
        ("ada@example.com,Ada,,,2023-01-01,7,8", "more fields"),
        (f"ada@example.com,{'A' * 200},,,2023-01-01", "120 characters"),
        ("ada@example.com,A\udcf6da,,,2023-01-01", "invisible"),
    ],
)
def test_a_bad_row_is_told_by_line_and_column_and_never_by_its_value(site, tmp_path, row, why):
    path = tmp_path / "people.csv"
    text = "\n".join([HEADS, "ok@example.com,Öö,,yes: write,2023-01-01", row])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = examined(path, None, ConsentStatement())
    assert (found.counts["bad"], found.bad[0].line) == (1, 3)
    assert why in found.bad[0].why
    assert not any(cell in found.bad[0].why for cell in row.split(",") if len(cell) > 3)


def test_a_telephone_that_is_none_is_left_out_and_its_person_is_not(site, tmp_path):
    lines = ("ada@example.com,p:+46700005566", "bert@example.com,ask at the desk", "cleo@example.com,030 1 or 030 2")
    path = written(tmp_path / "people.csv", "email,Phone", *lines)
    found = examined(path)
    assert (+found.counts, [column for column, _ in found.left_out]) == ({"new": 3}, ["Phone"])
    assert found.left_out.total() == 2
    assert not any("desk" in why for _, why in found.left_out)
    assert taken_in(path) == {"new": 3}
    assert find("test", "+46700005566") == find("test", "ada@example.com")
    (bert,) = find("test", "bert@example.com")
    assert services.details_of(bert, Reason.SHOW_PERSON, "test").telephone is None


def test_dates_may_be_written_as_the_operator_says(site, tmp_path):
    path = written(tmp_path / "people.csv", "email,consent_date", "ada@example.com,31.01.2023")
    taken_in(path, date_format="%d.%m.%Y")
    assert Subscription.objects.get().confirmed_at == datetime(2023, 1, 31, tzinfo=UTC)


def test_card_numbers_are_masked_on_the_way_in(site, tmp_path):
    path = written(tmp_path / "people.csv", "email,name", "ada@example.com,Ada 4242 4242 4242 4242")
    taken_in(path)
    (ada,) = find("test", "ada@example.com")
    assert "4242 4242" not in services.details_of(ada, Reason.SHOW_PERSON, "test").name.reveal()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_wrong_mapping_makes_every_row_bad_in_any_encoding(site, tmp_path, encoding):
    path = written(tmp_path / "people.csv", "mail,name", *["ada@example.com,Jürgen"] * 3000, encoding=encoding)
    found = examined(path, {"name": "email", "mail": "name"})
    assert (found.counts["bad"], len(found.bad), len(found.reasons)) == (3000, import_job.MOST_TOLD, 1)


@both
def test_whoever_signs_up_between_key_and_row_is_one_person(site, people_csv, monkeypatch):
    """The worker serves meanwhile: it meets the place that the import made, and files the person first."""
    place, first = import_job.bulk_filing.place, signup("ada@example.com", "Ada Herself")

    def and_sign_up(*words):
        placed = place(*words)
        site.submit(first)
        drain()
        return placed

    monkeypatch.setattr(import_job.bulk_filing, "place", and_sign_up)
    assert taken_in(people_csv) == {"new": 2, "there": 1}
    assert Person.objects.count() == 3
    assert find("test", "Herself") == find("test", "ada@example.com")


_KILLED = """
import os, signal, sys
from pathlib import Path
from troth.operate import site_session
site_session.in_site(Path(sys.argv[1]))
from tests.people.files import taken_in
from troth.newsletter.models import Subscription
from troth.people import import_job
from troth.vault import blind_index, bulk_filing, key_store, leak_marks, ledger
import_job.CHUNK, import_job.BATCH, leak_marks._STRETCH, blind_index._STRETCH = 40, 10, 50, 50
left = int(sys.argv[4])
where = {"keys": (key_store.KeyStore, "allot"), "index": (blind_index.BlindIndex, "_write"),
         "marks": (leak_marks, "_hold"), "rows": (bulk_filing, "insert"), "ledger": (ledger, "write")}[sys.argv[3]]
real = getattr(*where)
def killed(*words, **named):
    global left
    done = real(*words, **named)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(*where, killed)
taken_in(Path(sys.argv[2]))
"""


@both
def test_an_import_that_is_killed_anywhere_is_run_again_and_doubles_nobody(site, tmp_path):
    url = address_of_the_database()
    site.config.write_text(
        f'[site]\nname = "Example"\nurl = "http://127.0.0.1:18399"\n[database]\nurl = "{url}"\n[mail]\n'
        'relay = "smtp://localhost:9"\nsender = "news@example.com"\n'
    )
    path = written(tmp_path / "people.csv", "email,name", *[f"p{n}@example.com,Person {n}" for n in range(100)])
    for step, count in (
        ("keys", 1),
        ("index", 3),
        ("marks", 1),
        ("rows", 6),
        ("ledger", 2),
        ("rows", 12),
        ("marks", 2),
    ):
        done = forked.run(_KILLED, site.root, path, step, count, env=os.environ)
        assert done.returncode == -signal.SIGKILL, done.stderr
    told = taken_in(path)
    assert told["new"] + told["there"] == 100
    assert 0 < told["there"] < 100
    assert (Person.objects.count(), Record.objects.count(), Subscription.objects.count()) == (100, 200, 100)
    for number in (0, 39, 40, 99):
        (one,) = find("test", f"p{number}@example.com")
        assert find("test", f"Person {number}") == [one]
    vault = keeper()
    assert all(vault.marks.look_up([vault.marks.mark_of(f"p{n}@example.com")]) for n in range(100))
    assert ledger.verify_chain() == []


def test_an_update_of_a_person_keeps_what_the_file_leaves_empty(site, tmp_path):
    signed_up(site, signup("wilma@example.com", "Wilma"))
    path = written(tmp_path / "people.csv", "email,telephone", "wilma@example.com,+49 30 901820")
    taken_in(path, update=True)
    (wilma,) = find("test", "+49 30 901820")
    assert services.details_of(wilma, Reason.SHOW_PERSON, "test").name == PersonName("Wilma")


def test_a_job_says_nothing_of_the_people_in_it(site, people_csv):
    assert "ada" not in repr(job(people_csv)).replace(str(people_csv), "")

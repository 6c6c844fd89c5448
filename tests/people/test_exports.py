"""The list goes along as a file: whole, for the operator alone, in the ledger, and harmless in a spreadsheet."""

import csv
import io
import stat

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import both
from tests.people.files import WORDS, taken_in, written
from tests.people.people import signed_up, signup
from troth.core import contact_details
from troth.core.disk import new_private
from troth.core.errors import TrothError
from troth.core.personal import TYPES, PersonName, each_detail
from troth.core.purpose import Category, Reason
from troth.newsletter.models import Subscription
from troth.people import csv_export, csv_reader, export, import_columns, import_rows
from troth.people.list_formats import OWN_HEADERS as HEADERS
from troth.people.list_formats import ListFormat, form_of
from troth.people.queries import SubscriberState
from troth.rights import services
from troth.vault import ledger
from troth.vault.models import LedgerRow, Person
from troth.vault.records import Details


def listed(state=None, list_format=ListFormat.TROTH):
    return export.ListExport("test", form_of(list_format, state))


def rows(state=None):
    told = b"".join(part for _, part in listed(state).parts()).decode()
    return list(csv.DictReader(io.StringIO(told, newline="")))


def write_file(path):
    with new_private(path) as file:
        return listed().write(file, lambda _: None)


@pytest.fixture
def crowd(site, tmp_path):
    lines = [f"p{n}@example.com,Person {n}" for n in range(7)]
    taken_in(written(tmp_path / "people.csv", "email,name", *lines))


@both
def test_everybody_is_in_it_once_in_the_order_in_which_they_came(crowd, monkeypatch):
    monkeypatch.setattr(export, "STEP", 3)
    assert [row["email"] for row in rows()] == [f"p{n}@example.com" for n in range(7)]
    Subscription.objects.filter(person=Person.objects.order_by("id")[2]).update(state="left")
    assert [row["email"] for row in rows(SubscriberState.LEFT)] == ["p2@example.com"]
    assert len(rows(SubscriberState.CONFIRMED)) == 6


def test_each_step_is_in_the_ledger(crowd, monkeypatch):
    monkeypatch.setattr(export, "STEP", 3)
    rows()
    uses = [ledger.read(row) for row in LedgerRow.objects.order_by("number")]
    assert [use.count for use in uses if use.reason is Reason.EXPORT_PEOPLE] == [3, 3, 1]


def test_who_is_left_alone_or_being_erased_is_not_in_it(crowd):
    first, second, *_ = Person.objects.order_by("id").values_list("id", flat=True)
    services.freeze(first)
    services.ask_to_erase(second, "test")
    assert [row["email"] for row in rows()] == [f"p{n}@example.com" for n in range(2, 7)]


@pytest.mark.parametrize("name", ["=1+1", "+49 1", "-x", "@SUM(A1)", "\tx", "|x", "%x"])
def test_nothing_is_a_formula(name):
    assert csv_export.lines([[PersonName(name)]]).decode().lstrip('"').startswith("'")


def test_what_goes_along_comes_in_again_as_it_was(site, tmp_path):
    person = signed_up(site, signup("a@example.com", '+Plus, the "first"'))
    path = tmp_path / "list.csv"
    assert write_file(path) == 1
    services.correct(person.id, services.details_of(person.id, Reason.SHOW_PERSON, "t"), "t")
    Person.objects.all().delete()
    from tests.people.files import job
    from troth.people import import_job

    wanted = job(path)
    assert import_job.examine(wanted, lambda *_: None).counts["bad"] == 0
    assert import_job.carry_out(wanted, import_job.examine(wanted, lambda *_: None), lambda *_: None)["new"] == 1
    assert rows()[0]["name"] == '\'+Plus, the "first"'


_SIGNS = st.sampled_from(
    ["'", "''", "=", "+", "-", "@", "\t", "|", "%", "'=", "a", '"', ",", ";", "\n", "\ufeff", "\ufffd"]
)
_TEXT = st.one_of(st.text(max_size=30), st.lists(_SIGNS, max_size=6).map("".join), st.none())


def _kept(category, typed):
    """What the door would keep of this."""
    text = contact_details.tidy(typed or "", category)
    try:
        return TYPES[category](contact_details.check(category, text)) if text else None
    except ValueError:
        return None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TEXT, _TEXT, _TEXT, st.sampled_from(["'=a@example.com", "+b@example.com", "c'@example.com", "%d@example.org"]))
@example("|pipe", "'%1", "''=1+1", "'-e@example.com")
@example("Lost \ufffd sign", "12\n'@", "'", "f@example.com")
def test_whatever_the_form_takes_goes_along_and_comes_in_as_the_same_person(tmp_path, name, postal, company, email):
    came = Details(
        _kept(Category.EMAIL, email),
        _kept(Category.NAME, name),
        _kept(Category.TELEPHONE, "+49 30 901820"),
        _kept(Category.POSTAL_ADDRESS, postal),
        _kept(Category.COMPANY, company),
    )
    shown = (*(value for _, value in each_detail(came)), "confirmed", None, None, None, None, None)
    path = tmp_path / "list.csv"
    path.write_bytes(csv_export.lines([HEADERS, shown]))
    reader = csv_reader.CsvReader(path, csv_reader.find_shape(path))
    headers, row = reader.records()
    reader.close()
    columns = import_columns.find_mapping(import_columns.read_headers(headers.cells), {})
    assert import_rows.Judge(columns, import_rows.read_ground(WORDS, "2024-05-01")).row(row.cells).details == came


def test_only_this_user_can_read_the_file_and_none_is_overwritten(crowd, tmp_path):
    path = tmp_path / "list.csv"
    write_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(TrothError, match="already exists"):
        write_file(path)
    assert path.read_bytes() == before


def test_half_a_file_does_not_stay(crowd, tmp_path, monkeypatch):
    def broken(*_):
        yield 0, b"email\r\n"
        raise TrothError("the database is away")

    monkeypatch.setattr(export.ListExport, "parts", broken)
    with pytest.raises(TrothError):
        write_file(tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()


@both
@pytest.mark.parametrize("list_format", ListFormat)
def test_who_leaves_while_the_list_is_exported_is_not_in_the_file_of_subscribers(crowd, monkeypatch, list_format):
    some = export._some

    def found_and_then_left(state, last):
        people = some(state, last)
        Subscription.objects.filter(person__in=[person.id for person in people[:2]]).update(state="left")
        return people

    monkeypatch.setattr(export, "_some", found_and_then_left)
    told = b"".join(part for _, part in listed(SubscriberState.CONFIRMED, list_format).parts()).decode()
    assert [f"p{n}@example.com" in told for n in range(7)] == [False] * 2 + [True] * 5


def test_who_left_is_not_opened_for_a_file_of_subscribers(crowd):
    gone = Person.objects.order_by("id")[0]
    Subscription.objects.filter(person=gone).update(state="left")
    assert gone not in export._some(SubscriberState.CONFIRMED, export._FIRST)

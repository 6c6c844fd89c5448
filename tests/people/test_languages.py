"""A list that says people's languages: as tags only; only an update changes that of subscribers."""

import csv
import io

import pytest

from tests.conftest import both
from tests.people.files import WORDS, examined, taken_in, written
from troth.newsletter.models import Subscription
from troth.people import export, import_rows
from troth.people.csv_sources import FileRefused
from troth.people.list_formats import ListFormat, form_of
from troth.people.queries import SubscriberState

LINES = "ada@example.com,de", "bert@example.com,pt_br", "cleo@example.com,", "di@example.com,German"


def languages():
    rows = Subscription.objects.order_by("created_at", "person").values_list("language", flat=True)
    return list(rows)


def ground(language=""):
    return import_rows.read_ground(WORDS, "2024-05-01", "", language)


@both
def test_a_row_says_its_language_and_the_operator_that_of_the_others(site, tmp_path):
    file = written(tmp_path / "people.csv", "email,Sprache", *LINES)
    assert taken_in(file, None, ground("EN")) == {"new": 4}
    assert languages() == ["de", "pt-BR", "en", ""]


@both
def test_a_word_that_is_no_tag_is_told_and_never_guessed(site, tmp_path):
    file = written(tmp_path / "people.csv", "email,language", *LINES)
    assert examined(file).left_out == {("language", "Not a language tag such as de or pt-BR."): 1}
    taken_in(file)
    assert languages() == ["de", "pt-BR", "", ""]


@both
def test_only_an_update_changes_the_language_of_whoever_is_subscribed(site, tmp_path):
    taken_in(written(tmp_path / "people.csv", "email,language", *LINES))
    newer = written(
        tmp_path / "newer.csv", "email,language", "ada@example.com,fr", "cleo@example.com,es", "bert@example.com,"
    )
    taken_in(newer)
    assert languages() == ["de", "pt-BR", "", ""]
    taken_in(newer, update=True)
    assert languages() == ["fr", "pt-BR", "es", ""]


def test_it_goes_to_another_site_with_the_list(site, tmp_path):
    taken_in(written(tmp_path / "people.csv", "email,language", *LINES))
    parts = export.ListExport("test", form_of(ListFormat.TROTH, SubscriberState.CONFIRMED)).parts()
    told = b"".join(part for _, part in parts)
    rows = list(csv.DictReader(io.StringIO(told.decode(), newline="")))
    assert [row["language"] for row in rows] == ["de", "pt-BR", "", ""]
    Subscription.objects.update(language="")
    (tmp_path / "list.csv").write_bytes(told)
    taken_in(tmp_path / "list.csv", update=True)
    assert languages() == ["de", "pt-BR", "", ""]


def test_the_operators_word_must_be_a_tag():
    with pytest.raises(FileRefused, match="--language"):
        ground("German language")

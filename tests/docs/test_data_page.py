"""docs/data.md names every table, column of words, record, file and time of keeping that there is."""

import re
from inspect import getmembers
from pathlib import Path

import msgspec
import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Field

from tests.people.people import ADDRESS, answered, drain, signed_up, signup
from tests.rights.test_erasure import ask_and_compose
from troth.core.contact_details import WORDS
from troth.core.purpose import Category
from troth.core.schema import migrations
from troth.core.site import Site
from troth.policy import data_map, retention
from troth.rights.entry import ERASE, RightsUsed
from troth.vault.records import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))
_PART = {heading.partition("\n")[0]: heading for heading in PAGE.split("\n## ")}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by what stands first in them, without its backticks."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", _PART[heading], re.M)
    ]
    return {cells[0].strip("`"): cells for cells in found[2:]}


def tables() -> dict[str, set[str]]:
    """Every table of ours, with its columns of words or bytes."""
    models = [model for label in migrations.LABELS for model in apps.get_app_config(label).get_models()]
    return {
        f"{model._meta.app_label}.{model.__name__}": {
            field.name
            for field in model._meta.get_fields()
            if isinstance(field, Field) and not isinstance(field, data_map.PLAIN)
        }
        for model in models
    }


def test_each_table_stands_there_with_its_columns_of_words_and_no_other():
    told = {name: set(re.findall(r"`(\w+)`", cells[1])) for name, cells in rows("Every table").items()}
    assert told == tables()


def test_each_kind_of_record_is_on_one_of_the_walks():
    walks = _PART["The walks"]
    assert {kind for kind in KINDS if f"`{kind}`" not in walks} == set()


def test_each_detail_that_a_form_can_ask_for_is_on_one_of_the_walks():
    walks = _PART["The walks"].lower()
    assert [one for one in Category if WORDS[one] not in walks] == []
    known = {one.value for one in Category} | {"wording", "act", "link", "wish"}
    known |= {"notice", "signature", "checkout"}
    known |= {"topics", "policy", "seen", "chosen", "pause", "leave"}
    entries = [entry for entry in data_map.entries() if entry.purpose is not None]
    fields = {field.name for entry in entries for field in msgspec.structs.fields(entry)}
    assert fields == known, "a new field of a form needs its row in docs/data.md"


@pytest.mark.parametrize("place", [name for name, found in getmembers(Site) if isinstance(found, property)])
def test_each_place_of_a_site_is_named(place):
    path = getattr(Site(Path("/site")), place).relative_to("/site").as_posix()
    assert {path, f"{path}/"} & NAMED, f"{path} is in core/site.py and not in docs/data.md"


def test_each_time_of_keeping_is_the_one_without_settings(site):
    told = {name: int(cells[1]) for name, cells in rows("Until when").items()}
    assert told == {
        one.name: retention.RetentionStatus(one, one.period(settings.TROTH_CONFIG), None).days
        for one in retention.kinds()
    }


def test_each_word_in_the_column_until_is_a_kind_that_is_kept():
    kinds = {one.name for one in retention.kinds()}
    untils = [line.split("|")[3] for line in re.findall(r"^\|.*\|$", _PART["The walks"], re.M)]
    assert {word for until in untils for word in re.findall(r"`(\w+)`", until)} - kinds == set()


_FILES = (
    r"keys/seal/\d+\.key", r"keys/sign/\d+\.key", r"keys/sent/[0-9a-f]{8}\.log", r"keys/office/secret\.key",
    r"spool/[0-9a-f]{16}\.\w+", r"public/answers/[0-9a-f]{32}\.(receipt|[0-9a-f]{16})",
    r"public/gen-\d+/front\.msgpack", r"public/current",
    r"public/(archive|images)/[0-9a-f]+\.\w+", r"(.+)\.sqlite3-(wal|shm)",
)  # fmt: skip
"""Files whose names are made: the page names their folder."""


def test_each_file_that_the_walks_leave_is_named(site):
    """A value that was written to a new file beside the old ones would show here."""
    signed_up(site)
    answered(site, ADDRESS, "Hello.", "Hello to you.")
    site.submit(signup(ADDRESS, "Wilma Changed"))
    drain()
    _, link = ask_and_compose(site)
    site.submit(RightsUsed(link, ERASE))
    drain()
    found = {path.relative_to(site.root).as_posix() for path in site.root.rglob("*") if path.is_file()}
    assert {"keys/people/forgotten", "keys/people/marks.sqlite3", "keys/people/slots"} <= found
    made = {name for name in found if any(re.fullmatch(pattern, name) for pattern in _FILES)}
    lost = [name for name in found - made if name not in NAMED and name.rpartition("/")[2] not in NAMED]
    assert lost == []

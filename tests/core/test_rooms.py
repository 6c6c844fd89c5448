"""What each package says of itself in its `room.py` is complete, and the processes that meet visitors never load it."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import reverse
from msgspec.structs import replace

import troth
from troth.core.entry import Kind
from troth.core.rooms import ROOMS, rooms
from troth.gate.email_kinds import ALARM, REPORT, every_kind, kinds
from troth.kit.roles import Role
from troth.office import navigation
from troth.policy import retention
from troth.vault.records import DETAILS, KINDS
from troth.worker.composers import COMPOSERS

SOURCE = Path(troth.__file__).parent
NEVER = ("troth.front.main", "troth.clerk.main", "troth.supervisor.supervisor", "troth.supervisor.child")


def test_every_package_with_a_room_is_in_the_list_and_names_itself():
    assert {path.parent.name for path in SOURCE.glob("*/room.py")} == set(ROOMS)
    assert tuple(room.name for room in rooms()) == ROOMS
    assert {f"troth.{name}" for name in ROOMS} <= {config.name for config in apps.get_app_configs()}


def test_each_schema_of_an_entry_is_filed_once_and_each_kind_of_frame_is_somebodys():
    entries = [entry for room in rooms() for entry in room.files]
    assert len({entry.schema for entry in entries}) == len(entries)
    assert {entry.kind for entry in entries} == set(Kind)


def test_each_kind_of_email_is_written_by_one():
    names = [kind.name for room in rooms() for kind in room.mails]
    assert {*names, REPORT.name, ALARM.name} == set(COMPOSERS) == set(every_kind())
    assert set(every_kind()) - set(kinds()) == {"order", "refund", "shop_alert"}  # nothing is sold here
    assert len(names) == len(set(names)) and all(len(name) <= 16 for name in names)


def test_each_kind_of_record_has_words_for_a_receipt():
    assert {kind for room in rooms() for kind in room.record_words} == set(KINDS) - {DETAILS}


def test_each_package_with_an_erase_file_is_asked_about_a_person():
    assert {path.parent.name for path in SOURCE.glob("*/erase.py")} == {room.name for room in rooms() if room.holding}


def test_names_of_what_is_kept_and_of_timers_are_unique():
    for names in ([kind.name for kind in retention.kinds()], [timer.name for room in rooms() for timer in room.timers]):
        assert len(names) == len(set(names))


def test_the_navigation_leads_to_pages_that_its_readers_may_open(settings):
    settings.ROOT_URLCONF = "troth.office.urls"
    places = [link.place for link in navigation.links()]
    assert places == sorted(set(places))
    for link in navigation.links():
        assert reverse(link.url_name)
        assert (SOURCE / f"kit/templates/kit/icons/{link.icon}.svg").exists()
    assert navigation.links_for(None) == [] and navigation.links_for("stranger") == []
    without = navigation.links_for(Role.OWNER)
    assert without == [link for link in navigation.links() if link.url_name != "orders"]  # nothing is sold here
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = replace(config, shop=replace(config.shop, enabled=True))
    assert navigation.links_for(Role.OWNER) == list(navigation.links())


@pytest.mark.parametrize("module", NEVER)
def test_no_room_is_loaded_where_visitors_or_root_are(module):
    code = f"import sys, {module}; print(*(n for n in sys.modules if n.endswith('.room') or n == 'troth.core.rooms'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

"""The key store forgets who is erased, and is never mistaken for another."""

import tarfile
import uuid
from datetime import date
from pathlib import Path

import pytest

from troth.vault.errors import KeyErased, KeyStoreError
from troth.vault.key_store import KeyStore, path_in


@pytest.fixture
def store(tmp_path):
    KeyStore.create(tmp_path)
    made = KeyStore.open(tmp_path)
    yield made
    made.close()


def test_an_erased_key_is_nowhere_in_the_file(store, tmp_path):
    people = [uuid.uuid4(), uuid.uuid4()]
    first, second = store.allot(people)
    store.erase([(first.slot, people[0])])
    store.erase([(first.slot, people[0])])
    assert first.key not in path_in(tmp_path).read_bytes()
    assert store.key(second.slot, people[1]) == second.key
    with pytest.raises(KeyErased):
        store.key(first.slot, people[0])


def test_a_slot_of_somebody_else_is_refused_and_never_erased(store):
    person = uuid.uuid4()
    (one,) = store.allot([person])
    for act in (lambda: store.key(one.slot, uuid.uuid4()), lambda: store.erase([(one.slot, uuid.uuid4())])):
        with pytest.raises(KeyStoreError, match="do not belong together"):
            act()
    assert store.key(one.slot, person) == one.key


def test_a_torn_tail_is_written_over(store, tmp_path):
    store.allot([uuid.uuid4()])
    with path_in(tmp_path).open("ab") as file:
        file.write(b"x" * 30)
    person = uuid.uuid4()
    (one,) = store.allot([person])
    assert one.slot == 1 and store.key(1, person) == one.key


def test_a_damaged_slot_says_so(store, tmp_path):
    person = uuid.uuid4()
    (one,) = store.allot([person])
    data = bytearray(path_in(tmp_path).read_bytes())
    data[64 + 30] ^= 1
    path_in(tmp_path).write_bytes(data)
    with pytest.raises(KeyStoreError, match="damaged"):
        store.key(one.slot, person)


def test_a_lost_store_is_an_error_with_a_mend_and_is_not_made_anew(tmp_path):
    with pytest.raises(KeyStoreError, match="missing") as error:
        KeyStore.open(tmp_path)
    assert "backup" in error.value.mend
    assert not path_in(tmp_path).exists()


def test_a_store_is_never_replaced(store, tmp_path):
    with pytest.raises(KeyStoreError, match="already"):
        KeyStore.create(tmp_path)


def test_a_foreign_store_is_refused(site):
    from troth.vault import keeper

    keeper.keeper().check()
    keeper.keeper().close()
    keeper._keeper.cache_clear()
    path_in(site.people_keys).unlink()
    KeyStore.create(site.people_keys)
    with pytest.raises(KeyStoreError, match="do not belong together"):
        keeper.keeper().check()


# -- legal holds ------------------------------------------------------------------------------------------------------

EARLIER = Path(__file__).parents[1] / "data/site-0.1.0.tar.xz"
LAST = date(2036, 12, 31)


def test_a_hold_has_a_key_and_a_last_day_of_its_own_and_is_nobody(store, tmp_path):
    person, hold = uuid.uuid4(), uuid.uuid4()
    (first,) = store.allot([person])
    second = store.allot_hold(hold, LAST)
    held = store.hold_key(second.slot, hold)
    assert held.key == second.key != first.key and held.until == LAST
    assert store.person(second.slot) is None and store.owns(second.slot, hold)
    assert [(each.slot, each.hold, each.until) for each in store.holds()] == [(second.slot, hold, LAST)]
    store.erase([(first.slot, person)])
    assert store.hold_key(second.slot, hold).key == second.key
    store.erase_holds([(second.slot, hold)])
    store.erase_holds([(second.slot, hold)])
    assert second.key not in path_in(tmp_path).read_bytes() and list(store.holds()) == []
    with pytest.raises(KeyErased):
        store.hold_key(second.slot, hold)


def test_an_altered_last_day_is_damage(store, tmp_path):
    hold = uuid.uuid4()
    slot = store.allot_hold(hold, LAST).slot
    data = bytearray(path_in(tmp_path).read_bytes())
    data[64 * (1 + slot) + 3] ^= 1
    path_in(tmp_path).write_bytes(data)
    with pytest.raises(KeyStoreError, match="damaged"):
        store.hold_key(slot, hold)


def test_holds_are_found_wherever_they_lie(store):
    holds = []
    for size in (1, 16_383, 16_384, 40_000):
        store.allot([uuid.uuid4() for _ in range(size)])
        holds.append(uuid.uuid4())
        store.allot_hold(holds[-1], LAST)
    assert [held.hold for held in store.holds()] == holds


def test_a_store_of_an_earlier_version_takes_holds_and_loses_nobody(tmp_path):
    with tarfile.open(EARLIER) as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "site/keys/people"
    before = path_in(folder).read_bytes()
    assert before.startswith(b"TROTHKS1")
    store = KeyStore.open(folder)
    people = {slot: person for slot in range(store.slots) if (person := store.person(slot))}
    keys = {slot: store.key(slot, person) for slot, person in people.items()}
    assert len(people) == 2 and path_in(folder).read_bytes() == before, "opening changes nothing"
    store_id, hold = store.id, uuid.uuid4()
    store.allot_hold(hold, LAST)
    store.close()
    store = KeyStore.open(folder)
    assert store.id == store_id and {slot: store.key(slot, person) for slot, person in people.items()} == keys
    assert [held.hold for held in store.holds()] == [hold]
    assert path_in(folder).read_bytes().startswith(b"TROTHKS2"), "an earlier version refuses it"
    store.close()


def test_a_store_of_a_later_version_is_refused_by_name(store, tmp_path):
    from troth.vault import key_store

    later = key_store._HEADER.pack(b"TROTHKS3" + store.id.bytes)
    path_in(tmp_path).write_bytes(later.ljust(64, b"\0"))
    with pytest.raises(KeyStoreError, match="later version") as error:
        KeyStore.open(tmp_path)
    assert "Install that version" in error.value.mend

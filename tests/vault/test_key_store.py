"""The key store forgets who is erased, and is never mistaken for another."""

import uuid

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

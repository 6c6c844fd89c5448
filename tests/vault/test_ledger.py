"""Whatever is changed in the ledger, taken out, put in another order or put in, the chain says so (C2)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from tests.conftest import both
from troth.core import clock
from troth.core.purpose import Purpose, Reason
from troth.vault import ledger
from troth.vault.ledger import Fault
from troth.vault.models import LedgerHead, LedgerRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHO = [uuid.UUID(int=number) for number in range(5)]


@pytest.fixture
def chain(site):
    """Five rows, made on five days."""
    with clock.hold(NOW) as held:
        for number in range(5):
            ledger.write(Reason.LIST_PEOPLE, WHO[0], WHO[:number])
            held.move(days=1)
        yield held


def row(number):
    return LedgerRow.objects.get(number=number)


def change(which, **values):
    assert LedgerRow.objects.filter(number=which).update(**values) == 1


def whats():
    return {(fault.number, fault.what) for fault in ledger.verify_chain()}


def test_an_untouched_chain_holds_and_its_rows_tell_what_was_done(chain):
    assert ledger.verify_chain() == []
    use = ledger.read(row(3))
    assert (use.actor, use.reason, use.purpose, use.count) == (
        str(WHO[0]),
        Reason.LIST_PEOPLE,
        Purpose.ADMINISTRATION,
        2,
    )
    assert use.people == [who.bytes for who in WHO[:2]]
    assert use.at == NOW + timedelta(days=2)
    assert row(3).ends_at == (use.at + ledger.KEPT).date()
    assert ledger.head() == (5, bytes(row(5).link))


def test_an_empty_ledger_holds(site):
    assert ledger.verify_chain() == [] and ledger.head() == (0, b"")


@both
def test_altered_content_is_found(chain):
    for byte in (0, 10, -1):
        content = bytearray(row(3).content)
        content[byte] ^= 1
        before = bytes(row(3).content)
        change(3, content=bytes(content))
        assert whats() == {(3, "altered")}
        change(3, content=before)
    assert whats() == set()


def test_altered_content_with_a_fitting_commitment_is_found(chain):
    one = row(3)
    content = bytes(row(1).content)
    change(3, content=content, commitment=ledger._commitment(bytes(one.salt), content))
    assert whats() == {(3, "broken")}


def test_altered_content_with_a_fitting_link_too_is_found_at_the_next_row(chain):
    one, content = row(3), bytes(row(1).content)
    commitment = ledger._commitment(bytes(one.salt), content)
    link = ledger._link(bytes(row(2).link), 3, commitment, one.ends_at)
    change(3, content=content, commitment=commitment, link=link)
    assert whats() == {(4, "broken")}


@pytest.mark.parametrize("number", [1, 3])
def test_a_row_taken_out_is_found(chain, number):
    LedgerRow.objects.filter(number=number).delete()
    assert {(number, "missing"), (number + 1, "broken")} <= whats()


def test_the_last_rows_taken_out_are_found(chain):
    LedgerRow.objects.filter(number__gte=4).delete()
    assert whats() == {(3, "end differs")}
    LedgerRow.objects.all().delete()
    assert whats() == {(0, "end differs")}


def test_a_row_taken_out_and_the_rest_renumbered_is_found(chain):
    LedgerRow.objects.filter(number=3).delete()
    change(4, number=3)
    change(5, number=4)
    LedgerHead.objects.update(number=4)
    assert (3, "broken") in whats()


@both
def test_two_rows_in_the_other_order_are_found(chain):
    for old, new in ((2, 100), (3, 2), (100, 3)):
        change(old, number=new)
    assert {(2, "broken"), (3, "broken"), (4, "broken")} == whats()


def test_a_row_put_in_is_found(chain):
    one = row(5)
    one.number = 6
    one.save(force_insert=True)
    assert (6, "broken") in whats() and (6, "end differs") in whats()


def test_an_end_date_moved_is_found(chain):
    change(2, ends_at=(NOW - timedelta(days=1)).date())
    assert whats() == {(2, "broken")}


def test_content_forgotten_too_early_is_found(chain):
    change(2, content=None, salt=None)
    assert whats() == {(2, "forgotten too early")}


def test_content_without_its_salt_is_found(chain):
    change(2, salt=None)
    assert whats() == {(2, "forgotten too early")}


def test_a_head_that_was_set_back_is_found(chain):
    LedgerHead.objects.update(number=4, link=bytes(row(4).link))
    assert ledger.verify_chain() == [Fault(5, "end differs")]


@both
def test_at_its_end_date_content_goes_and_the_chain_still_holds(chain):
    chain.at = NOW + ledger.KEPT + timedelta(days=1)
    assert ledger.forget_ended() == 2
    assert [ledger.read(row(number)) is None for number in range(1, 6)] == [True, True, False, False, False]
    assert row(1).salt is None and whats() == set()
    assert ledger.forget_ended() == 0
    chain.move(days=-30)  # the clock falls back: what was forgotten now looks early, and is told
    assert whats() == {(1, "forgotten too early"), (2, "forgotten too early")}


@both
def test_a_row_is_written_with_what_it_is_about_or_not_at_all(chain):
    def failing():
        with transaction.atomic():
            ledger.write(Reason.SHOW_PERSON, "worker", WHO)
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert ledger.head()[0] == LedgerRow.objects.count() == 5
    assert ledger.write(Reason.SHOW_PERSON, "worker", WHO) == 6 and whats() == set()


@pytest.mark.postgres
def test_writers_at_the_same_time_make_one_chain(site):
    """On PostgreSQL, where they do not wait for each other by themselves."""
    import threading

    from django.db import connections

    def write():
        for _ in range(10):
            ledger.write(Reason.SHOW_PERSON, "worker", WHO[:1])
        connections.close_all()

    ledger.write(Reason.SHOW_PERSON, "worker", [])
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.verify_chain() == [] and ledger.head()[0] == 31
    assert connection.vendor == "postgresql"


def test_a_batch_is_one_row_that_counts_everybody(site):
    people = [uuid.uuid4() for _ in range(2000)]
    assert ledger.write(Reason.SEND_CONFIRMATION, "worker", people) == 1
    use = ledger.read(row(1))
    assert use.count == 2000 and use.people == [who.bytes for who in people]

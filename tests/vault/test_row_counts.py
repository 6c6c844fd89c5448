"""Counts that nobody counts: exact after whatever changes the rows, in whatever transaction, on both databases."""

import threading
import time

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.models import Count

from tests.conftest import both
from tests.people.files import taken_in, written
from tests.people.people import drain, signed_up, signup
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.newsletter.models import Subscription
from troth.vault import row_counts
from troth.vault.keeper import keeper
from troth.vault.models import Person, Tally


def counted():
    """All of it, counted one by one."""
    states = dict(Subscription.objects.values_list("state").annotate(n=Count("id")).values_list("state", "n"))
    mails = dict(Delivery.objects.values_list("state").annotate(n=Count("id")).values_list("state", "n"))
    return Person.objects.count(), states, mails


def told():
    kept = {name: n for name, n in row_counts.counts("subscription").items() if n}
    return row_counts.count("person"), kept, {name: n for name, n in outbox.counts().items() if n}


@both
def test_the_counts_are_right_whatever_changes_the_rows(site, tmp_path):
    assert told() == counted() == (0, {}, {})
    person = signed_up(site)
    site.submit(*[signup(f"p{n}@example.com", "P") for n in range(5)])
    drain()
    assert told() == counted()
    taken_in(written(tmp_path / "people.csv", "email", *[f"i{n}@example.com" for n in range(9)]))
    assert told() == counted() == (15, {"confirmed": 10, "waiting": 5}, {"queued": 6})
    Subscription.objects.filter(state="waiting").update(state="left")
    Delivery.objects.update(state="sent")
    keeper().erase([person.id])
    assert told() == counted() == (14, {"confirmed": 9, "left": 5}, {"sent": 5})
    assert Tally.objects.filter(name="person").count() >= 1


@both
def test_what_is_rolled_back_was_never_counted(site):
    signed_up(site)
    with transaction.atomic():
        Person.objects.all().delete()
        assert row_counts.count("person") == 0
        transaction.set_rollback(True)
    assert told() == counted()


@pytest.mark.postgres
def test_postgresqls_differences_are_folded_together(site):
    for number in range(4):
        Person.objects.create(slot=number)
    rows = Tally.objects.filter(name="person").count()
    assert rows == 5
    assert row_counts.fold() == 4
    assert (Tally.objects.filter(name="person").count(), row_counts.count("person")) == (1, 4)
    assert row_counts.fold() == 0


@pytest.mark.postgres
def test_two_who_write_at_once_do_not_wait_for_each_other(site):
    done = threading.Event()

    def other():
        Person.objects.create(slot=2)
        connections.close_all()
        done.set()

    with transaction.atomic():
        Person.objects.create(slot=1)
        thread = threading.Thread(target=other)
        thread.start()
        assert done.wait(10)
    thread.join()
    assert row_counts.count("person") == 2


@pytest.mark.postgres
def test_many_who_write_roll_back_fold_and_count_anew_at_once_leave_it_exact(site):
    """Four writers on slots of their own, one who folds and one who counts anew, as fast as they can."""
    over, failed = threading.Event(), []

    def until_over(what):
        try:
            while not over.is_set():
                what()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    def write(number):
        try:
            for step in range(40):
                with transaction.atomic():
                    some = [Person(slot=number * 1000 + step * 10 + one) for one in range(5)]
                    Person.objects.bulk_create(some)
                    Subscription.objects.bulk_create(Subscription(person=one, state="waiting") for one in some)
                    Subscription.objects.filter(person__in=some[:2]).update(state="confirmed")
                    Subscription.objects.filter(person__in=some[1:3]).update(state="left")
                    some[4].delete()
                    transaction.set_rollback(step % 3 == 0)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    watched = row_counts.CountedTable.of_model(Person)
    others = [
        threading.Thread(target=until_over, args=[what])
        for what in (row_counts.fold, lambda: row_counts.install(watched))
    ]
    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in (*others, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    over.set()
    for thread in others:
        thread.join(60)
    assert failed == []
    assert told() == counted() == (416, {"confirmed": 104, "left": 208, "waiting": 104}, {})


@pytest.mark.postgres
def test_who_counts_anew_waits_for_who_folds(site):
    for number in range(3):
        Person.objects.create(slot=number)

    def anew():
        row_counts.install(row_counts.CountedTable.of_model(Person))
        connections.close_all()

    thread = threading.Thread(target=anew)
    with transaction.atomic():
        assert row_counts.fold() > 0
        thread.start()
        with connection.cursor() as cursor:
            for _ in range(500):
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                if cursor.fetchone() == (1,):
                    break
                time.sleep(0.01)
    thread.join(30)
    assert row_counts.count("person") == 3


@both
def test_a_migration_counts_anew(site):
    signed_up(site)
    Tally.objects.update(n=77)
    Tally.objects.create(name="person", n=1000)
    call_command("migrate", verbosity=0)
    assert told() == counted()


@both
def test_the_triggers_are_there(site):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if connection.vendor == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        found = {name for (name,) in cursor.fetchall()}
    tables = {"vault_person": 2, "newsletter_subscription": 3, "contact_thread": 3, "gate_delivery": 3}
    assert {table: sum(table in name for name in found) for table in tables} == tables

"""A site whose tables had other names has today's, whole, or those that it had."""

from itertools import count

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from tests.conftest import both
from tests.worker import earlier_tables
from tests.worker.earlier_tables import rows, schema
from troth.core.schema import migrations, renamed_tables
from troth.vault import row_counts
from troth.worker import migrate
from troth.worker.rename_tables import rename_tables

CHANGES = ("ALTER", "CREATE", "DROP", "INSERT", "UPDATE", "DELETE")


class Stopped(Exception):
    """The program ended here."""


@pytest.fixture
def fresh(site, tmp_path, database):
    """The schema of a new site; from now on the database is an older site's."""
    made = schema()
    earlier_tables.put_in_place(earlier_tables.unpack(tmp_path / "earlier", database), site.database)
    return made


def applied():
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return {tuple(row) for row in cursor.fetchall()}


def counted(name):
    return {state: count for state, count in row_counts.counts(name).items() if count}


@both
def test_its_rows_stay_and_its_schema_is_a_new_sites(fresh):
    kept = rows()
    assert all(kept[table] for table in renamed_tables.TABLES.values())
    assert migrate.look().missing[0] == ("newsletter", "renamed_from_letters")
    migrate.refuse_altered(migrate.look())
    for _ in range(2):
        rename_tables()
        assert rows() == kept
    for _ in range(2):
        migrate.make_changes()
        migrate.check_schema()
        assert schema() == fresh
        assert migrate.look() == migrate.SchemaState(empty=False, missing=[], later=[])
        assert applied() >= migrations.KNOWN and not renamed_tables.LABELS & {label for label, _ in applied()}


@both
def test_what_is_counted_and_what_is_numbered_goes_on(fresh):
    from troth.contact.models import Label, Thread
    from troth.newsletter.models import Subscription

    migrate.make_changes()
    assert counted("subscription") == {"waiting": 1, "confirmed": 2, "left": 1}
    assert counted("thread") == {"waiting": 2}
    Subscription.objects.filter(state="waiting").update(state="left")
    thread = Thread.objects.exclude(labels=None).get()
    thread.labels.add(Label.objects.get(name="other"))  # a row that the database numbers
    thread.delete()
    assert counted("subscription") == {"confirmed": 2, "left": 2}
    assert counted("thread") == {"waiting": 1}


@both
def test_stopped_at_any_statement_it_is_as_it_was(fresh):
    before, kept, names = schema(), rows(), applied()
    for step in count(step=9):
        left = iter(range(step))

        def stopping(execute, statement, *arguments, left=left):
            if statement.startswith(CHANGES) and next(left, None) is None:
                raise Stopped
            return execute(statement, *arguments)

        try:
            with connection.execute_wrapper(stopping):
                rename_tables()
        except Stopped:
            assert (schema(), applied()) == (before, names)
            assert rows() == kept
        else:
            break
    assert step > 50 and rows() == kept and migrations.renames(applied()) == []


@both
def test_an_earlier_version_refuses_it_as_soon_as_names_have_changed(fresh):
    rename_tables()
    assert renamed_tables.MARK in applied()
    assert renamed_tables.MARK in migrations.KNOWN


@both
def test_django_knows_its_models_by_the_rows_that_it_had(fresh):
    from django.contrib.auth.models import Permission

    def permissions():
        rows = Permission.objects.values_list("id", "codename", "content_type_id", "content_type__model")
        return set(rows.filter(content_type__app_label__in=labels))

    labels = renamed_tables.LABELS
    kept = permissions()
    assert len(kept) == 4 * 12
    migrate.make_changes()
    assert permissions() == set()
    labels = ["newsletter", "contact", "policy", "rights"]
    assert permissions() >= kept


def test_within_a_transaction_that_is_undone_nothing_was_renamed(fresh):
    before = schema()
    with transaction.atomic():
        rename_tables()
        transaction.set_rollback(True)
    assert schema() == before


def test_a_migration_that_no_version_had_is_a_later_versions(fresh):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = '0009_other' WHERE app = 'letters'")
    assert migrate.look().later == [("letters", "0009_other")]


def test_a_new_site_has_nothing_to_rename_and_no_model_is_without_its_migration(site):
    before, names = schema(), applied()
    rename_tables()
    assert (schema(), applied()) == (before, names)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

"""One moment of the database, however many questions are asked: who else writes meanwhile is in none of the answers,
and waits for nobody. May touch: reads the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read within is of one moment; nothing may be written. In a transaction already, it is that one's."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with _reading_sqlite():
            yield


@contextmanager
def _reading_sqlite() -> Iterator[None]:
    """By hand: `atomic` begins as a writer does, and nobody else could write meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")

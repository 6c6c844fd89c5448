"""Stores visitor statistics: names, sums by hour, day and month, and the unique visitors of a day.

Open days are rows of `Hour` and `Day`; closed ones are packed into sheets. There is no row for a visitor, a visit or a
hit, and no field that could hold one (V1). A cell's two names are ids of `Name`; with one name, the second is 0, the
empty name.
"""

from typing import ClassVar

from django.db import models
from django.db.models import QuerySet

from troth.core import clock
from troth.core.ids import new_id


class OfVisitors[M: models.Model](models.Manager[M]):
    """The rows of real days. A proof's hits are stored by the same code in the same tables, but before all real days
    (`fold.day_of_proofs`): no figure and no sheet includes them."""

    def get_queryset(self) -> QuerySet[M]:
        """Return the rows without those of proofs."""
        return super().get_queryset().filter(at__gte=0)


class Name(models.Model):
    """A page, a source, a country: a name of cells."""

    id = models.BigAutoField(primary_key=True)
    text = models.CharField(max_length=500, unique=True)

    def __str__(self) -> str:
        return self.text


class _Sums(models.Model):
    """The sums of a cell in one hour or day."""

    kind = models.SmallIntegerField()
    """Its dimensions: `fold.kind_of`."""
    at = models.IntegerField()
    """The span: see the subclasses."""
    name = models.BigIntegerField()
    by = models.BigIntegerField(default=0)
    views = models.BigIntegerField(default=0)
    visits = models.BigIntegerField(default=0)
    bounces = models.BigIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Hour(_Sums):
    """The sums of an hour. `at`: hours since the first day of the year 1, in the site's zone."""

    pk = models.CompositePrimaryKey("kind", "at", "name", "by")
    objects = OfVisitors["Hour"]()
    with_proofs = models.Manager["Hour"]()


class Day(_Sums):
    """The sums of a day. `at`: `date.toordinal` in the site's zone. Holds open days, and late counts of closed ones
    until they are added to sheets."""

    pk = models.CompositePrimaryKey("kind", "at", "name", "by")
    visitors = models.IntegerField(null=True)
    """Unique visitors, estimated when the day was closed; until then see its registers."""
    objects = OfVisitors["Day"]()
    with_proofs = models.Manager["Day"]()


class Sheet(models.Model):
    """All cells of one kind of a closed day or month, in one value: see `audience/storage/column_block.py`."""

    HOURS, DAY, MONTH = 1, 2, 3

    pk = models.CompositePrimaryKey("unit", "kind", "at")
    unit = models.SmallIntegerField()
    """`HOURS` of a day (the hour is in place of the second name), `DAY`, or `MONTH` (its days, added up)."""
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    """The day, as in `Day`; or the year times twelve, and the month less one."""
    cells = models.IntegerField()
    data = models.BinaryField()
    """`column_block.bind(cells)`: numbers, no texts."""

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["at"], name="month_at")]


class Registers(models.Model):
    """The registers of a cell on an open day. When it is closed, only the number is kept."""

    pk = models.CompositePrimaryKey("kind", "at", "name")
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    name = models.BigIntegerField()
    data = models.BinaryField()
    """`bytes(Sketch)`."""
    objects = OfVisitors["Registers"]()
    with_proofs = models.Manager["Registers"]()


class Restart(models.Model):
    """A restart of counting, after which visitors of that day may be counted twice."""

    at = models.IntegerField()
    """The day, as in `Day`."""
    hour = models.SmallIntegerField()

    objects = OfVisitors["Restart"]()
    with_proofs = models.Manager["Restart"]()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["at", "hour"], name="restart_hour")
        ]


# -- own pages, imports -----------------------------------------------------------------------------------------------


class OwnPage(models.Model):
    """A listed page: counted by name, however few read it."""

    path = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.path


class Import(models.Model):
    """An import, finished or running. Neither the file's name nor a line of it is stored."""

    digest = models.BinaryField(max_length=32, unique=True)
    """A keyed hash of its content, by which the same file is recognised, compressed or not."""
    kind = models.CharField(max_length=16)
    first = models.IntegerField()
    """Its first day, as in `Day`."""
    last = models.IntegerField()
    lines = models.BigIntegerField()
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)


class ImportedDay(models.Model):
    """A day that was imported from a file: written in the transaction that adds its figures, so they are added once."""

    pk = models.CompositePrimaryKey("at", "source")
    at = models.IntegerField()
    """The day, as in `Day`."""
    source = models.ForeignKey(Import, on_delete=models.CASCADE)


# -- API tokens and reports ------------------------------------------------------------------------------------------


class ApiToken(models.Model):
    """An API token for a program. Only its SHA-256 is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.BinaryField(unique=True, max_length=32)
    name = models.CharField(max_length=60, unique=True)
    """What it is for, in the operator's words."""
    scope = models.CharField(max_length=12, default="statistics")
    """What it gives access to: an `api.tokens.Scope`."""
    made_at = models.DateTimeField(default=clock.now, editable=False)
    used_on = models.DateField(null=True)
    """The last day of use, in UTC. No time, so that it is no activity log."""

    def __str__(self) -> str:
        return self.name

    @property
    def scope_label(self) -> str:
        """Return what it may do, as the console shows it."""
        return {"mail": "Send transactional email"}.get(self.scope, "Read the statistics")


class Reported(models.Model):
    """A period whose report was queued, noted in the same transaction, so that it is queued once (WALL 4)."""

    every = models.CharField(max_length=8)
    """`weekly` or `monthly`."""
    at = models.IntegerField()
    """Its first day, as in `Day`."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["every", "at"], name="reported_once")
        ]


# -- the console ------------------------------------------------------------------------------------------------------


class Minute(models.Model):
    """The last half hour: the site by the minute, pages and sources by five. Deleted after 31 minutes."""

    pk = models.CompositePrimaryKey("kind", "at", "name")
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    """Minutes since the first day of the year 1, in the site's zone; of a page or source, the first of its five."""
    name = models.BigIntegerField()
    views = models.BigIntegerField(default=0)
    visits = models.BigIntegerField(default=0)


class Annotation(models.Model):
    """An operator's note on a day of the chart."""

    at = models.IntegerField(db_index=True)
    """The day, as in `Day`."""
    text = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.text


class TakenOut(models.Model):
    """An exclusion: the traffic of one source, campaign, country or page on some days, left out of every figure.

    Nothing is deleted: restored, it counts again."""

    kind = models.SmallIntegerField()
    """The kind of the excluded cell: one dimension alone."""
    name = models.BigIntegerField()
    first = models.IntegerField()
    """The first of its days, as in `Day`."""
    last = models.IntegerField()
    """The last of its days."""

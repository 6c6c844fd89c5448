"""Visitor statistics in the database: names, sums by hour, day and month, and how many different visitors a day had.

What is not over stands in rows of `Hour` and `Day`, to be added to; what is over is bound into sheets. There is no row
for a visitor, a visit or a hit, and no field that could hold one (V1). A cell's two names are numbers of `Name`; where
it has one, the second is 0, which is the empty name.
"""

from typing import ClassVar

from django.db import models
from django.db.models import QuerySet

from troth.core import clock
from troth.core.ids import new_id


class OfVisitors[M: models.Model](models.Manager[M]):
    """Rows of days that there were. What a proof's invented visitor brings is filed by the same code, in the same
    tables, but before all time (`tally.day_of_proofs`): no figure has it, and nothing of it is bound into a sheet."""

    def get_queryset(self) -> QuerySet[M]:
        """Without what a proof brought."""
        return super().get_queryset().filter(at__gte=0)


class Name(models.Model):
    """A page, a source, a country: what cells are about."""

    id = models.BigAutoField(primary_key=True)
    text = models.CharField(max_length=500, unique=True)

    def __str__(self) -> str:
        return self.text


class _Sums(models.Model):
    """The sums of one cell in one span of time."""

    kind = models.SmallIntegerField()
    """Which dims: `tally.kind_of`."""
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
    """`at`: hours since the first day of the year 1, in the site's zone. For those questions that ask by hour."""

    pk = models.CompositePrimaryKey("kind", "at", "name", "by")
    objects = OfVisitors["Hour"]()
    with_proofs = models.Manager["Hour"]()


class Day(_Sums):
    """`at`: days since the first day of the year 1 (`date.toordinal`), in the site's zone. Holds the days that are not
    over, and what came late for one that is, until it is added to its sheets."""

    pk = models.CompositePrimaryKey("kind", "at", "name", "by")
    visitors = models.IntegerField(null=True)
    """Different visitors, estimated as the day was over; until then its sketch says it."""
    objects = OfVisitors["Day"]()
    with_proofs = models.Manager["Day"]()


class Sheet(models.Model):
    """All cells of one kind in a span that is over, in one value: see `sheets`. Whole days only, or whole months."""

    HOURS, DAY, MONTH = 1, 2, 3

    pk = models.CompositePrimaryKey("unit", "kind", "at")
    unit = models.SmallIntegerField()
    """`HOURS` of a day (the hour stands in place of the second name), `DAY`, `MONTH` (its days, added up)."""
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    """The day, as in `Day`; or the year times twelve, and the month less one."""
    cells = models.IntegerField()
    data = models.BinaryField()
    """`sheets.bind(cells)`: numbers, no texts."""

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["at"], name="month_at")]


class Registers(models.Model):
    """The registers of one cell on a day that is not over yet. Afterwards the number stays, and they go."""

    pk = models.CompositePrimaryKey("kind", "at", "name")
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    name = models.BigIntegerField()
    data = models.BinaryField()
    """`bytes(Sketch)`."""
    objects = OfVisitors["Registers"]()
    with_proofs = models.Manager["Registers"]()


class Restart(models.Model):
    """A moment from which visitors of that day may be counted a second time: the key was new, or a front's memory."""

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
    """A page that the operator listed: counted by name, however few read it."""

    path = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.path


class Import(models.Model):
    """A file of figures that was taken in, or is being taken in. Neither its name nor a line of it is kept."""

    digest = models.BinaryField(max_length=32, unique=True)
    """A keyed digest of its content: the same file is known again, packed or not."""
    kind = models.CharField(max_length=16)
    first = models.IntegerField()
    """Its first day, as in `Day`."""
    last = models.IntegerField()
    lines = models.BigIntegerField()
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)


class ImportedDay(models.Model):
    """A day that a file gave figures for: written in the transaction that adds them, so they are added once."""

    pk = models.CompositePrimaryKey("at", "source")
    at = models.IntegerField()
    """The day, as in `Day`."""
    source = models.ForeignKey(Import, on_delete=models.CASCADE)


# -- what tells figures on: tokens and reports ------------------------------------------------------------------------


class ApiToken(models.Model):
    """A program's way in to the statistics. The token itself is not here, only its SHA-256."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.BinaryField(unique=True, max_length=32)
    name = models.CharField(max_length=60, unique=True)
    """What it is for, in the operator's words."""
    made_at = models.DateTimeField(default=clock.now, editable=False)
    used_on = models.DateField(null=True)
    """The last day on which it was used, in UTC: by day, so that it is no record of who did what when."""

    def __str__(self) -> str:
        return self.name


class Reported(models.Model):
    """A period of which the report was queued, noted in the same transaction: so it is queued once (WALL 4)."""

    every = models.CharField(max_length=8)
    """`weekly` or `monthly`."""
    at = models.IntegerField()
    """Its first day, as in `Day`."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["every", "at"], name="reported_once")
        ]


# -- the office's -----------------------------------------------------------------------------------------------------


class Minute(models.Model):
    """What the last half hour brought: the site by the minute, pages and sources by five. Gone after 31 minutes."""

    pk = models.CompositePrimaryKey("kind", "at", "name")
    kind = models.SmallIntegerField()
    at = models.IntegerField()
    """Minutes since the first day of the year 1, in the site's zone; of a page or source, the first of its five."""
    name = models.BigIntegerField()
    views = models.BigIntegerField(default=0)
    visits = models.BigIntegerField(default=0)


class Annotation(models.Model):
    """What the operator notes at a day, to be read beside the chart."""

    at = models.IntegerField(db_index=True)
    """The day, as in `Day`."""
    text = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.text


class TakenOut(models.Model):
    """What every figure is shown without: all that one source, campaign, country or page brought on some days.

    Nothing is deleted: put back, it counts again."""

    kind = models.SmallIntegerField()
    """Of the cell that is taken out: one dim alone."""
    name = models.BigIntegerField()
    first = models.IntegerField()
    """The first of its days, as in `Day`."""
    last = models.IntegerField()
    """The last of them."""

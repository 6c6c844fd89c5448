"""The vault's tables: random ids, encrypted records, the access log, and the position of intake.

No column of any package has a person's detail in plain text; details are in `Record.box` only (C1, C2).
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from troth.core import clock
from troth.core.ids import new_id


class RealPeople[M: models.Model](models.Manager[M]):
    """Rows of people who exist: a proof's invented people (canaries) are in no list, count or export.

    Each model that leads to a person has this as its first manager, so that whoever forgets canaries has left them out;
    the machinery that files, mails and erases says `with_canaries`. A model's `PERSON` is the path to its person.
    """

    def get_queryset(self) -> QuerySet[M]:
        """Return rows without canaries. There are few, so the inner query costs little."""
        path = getattr(self.model, "PERSON", "person")
        return super().get_queryset().exclude(**{f"{path}__in": Canary.objects.values("person")})


class Person(models.Model):
    """Someone who gave details. Their key lies in the key store at `slot`, never here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slot = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)
    frozen_at = models.DateTimeField(null=True)
    """Since when nothing but keeping, showing and erasing is done with them, as they asked (GDPR, article 18)."""

    PERSON = "id"
    COUNTED_BY = ""
    objects = RealPeople["Person"]()
    with_canaries = models.Manager["Person"]()

    class Meta:
        indexes = (
            models.Index(fields=["frozen_at"], name="person_frozen", condition=models.Q(frozen_at__isnull=False)),
        )

    def __str__(self) -> str:
        return str(self.id)


class Canary(models.Model):
    """The mark of a person whom a proof invented, set in the transaction that makes them and gone with them.

    Weak: whoever can change the program could let it spare those who are marked, as they could by any other sign.
    """

    person = models.OneToOneField(Person, on_delete=models.CASCADE, primary_key=True, related_name="+")
    calls_since = models.DateTimeField(null=True)
    """Since when something of them may lie in the spool: erased before it is filed, it would make somebody new."""

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def among(cls, people: Iterable[UUID]) -> set[UUID]:
        """Return those of `people` who are canaries. There are few, so it reads all of them."""
        return set(people) & set(cls.objects.values_list("person_id", flat=True))


class Record(models.Model):
    """One box of details, encrypted under its person's key for one purpose. `vault.records` says what is inside."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="records")
    purpose = models.CharField(max_length=16)
    kind = models.CharField(max_length=16)
    box = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    objects = RealPeople["Record"]()
    with_canaries = models.Manager["Record"]()

    def __str__(self) -> str:
        return str(self.id)


class RealHolds[M: models.Model](models.Manager[M]):
    """Rows without those of a proof's invented people. A hold carries their mark itself: it outlives its person."""

    def get_queryset(self) -> QuerySet[M]:
        """Return the rows that are not invented."""
        return super().get_queryset().filter(**{getattr(self.model, "INVENTED", "invented"): False})


class LegalHold(models.Model):
    """What a law requires to be kept of one person, of one class, until one day. Its key lies in the key store at
    `slot`, with the day: the key store's day counts, whatever `until` says. `vault.legal_holds` says more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slot = models.BigIntegerField(unique=True)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="legal_holds")
    """None once they are erased: nothing leads from a person to what is kept of them, or back."""
    duty = models.CharField(max_length=16)
    until = models.DateField(db_index=True)
    """The last day on which it is kept."""
    invented = models.BooleanField(default=False)
    """Whether it is of a proof's invented person."""
    created_at = models.DateTimeField(default=clock.now)

    objects = RealHolds["LegalHold"]()
    with_canaries = models.Manager["LegalHold"]()

    def __str__(self) -> str:
        return str(self.id)


class LegalRecord(models.Model):
    """One box of what a law requires to be kept, encrypted under the key of its hold."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hold = models.ForeignKey(LegalHold, on_delete=models.CASCADE, related_name="records")
    box = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    INVENTED = "hold__invented"
    objects = RealHolds["LegalRecord"]()
    with_canaries = models.Manager["LegalRecord"]()

    def __str__(self) -> str:
        return str(self.id)


class Erasure(models.Model):
    """Somebody is to be erased, or was. Once it is done the row names nobody: it is the receipt and its date."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.UUIDField(null=True, unique=True)
    """Opaque, and gone when it is done."""
    asked_by = models.CharField(max_length=40)
    """`person`, or the operator's opaque id."""
    asked_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True, db_index=True)
    told = models.UUIDField(null=True)
    """The rights request whose page shows the receipt."""
    receipt = models.TextField(default="")
    """The signed receipt, as JSON: counts, dates, what had to be kept; no detail of anyone."""

    def __str__(self) -> str:
        return str(self.id)


class LedgerRow(models.Model):
    """One use of people's records. `content` goes at `ends_at`; the chain over the commitments stays."""

    number = models.BigIntegerField(primary_key=True)
    content = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    commitment = models.BinaryField()
    link = models.BinaryField()
    ends_at = models.DateField(db_index=True)
    proof = models.BooleanField(default=False)
    """Whether it is of a proof run, as its content says: the page passes over those unless they are asked for."""

    def __str__(self) -> str:
        return str(self.number)


class LedgerHead(models.Model):
    """The end of the chain, one row: whoever adds to the ledger locks it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    link = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return str(self.number)


class Tally(models.Model):
    """How many rows a model with `COUNTED_BY` has; `vault.row_counts` says how it is kept up."""

    name = models.CharField(max_length=40, db_index=True)
    n = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} {self.n}"


class StoreMark(models.Model):
    """Which key store this database belongs to, one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    store = models.UUIDField()

    def __str__(self) -> str:
        return str(self.store)


class Position(models.Model):
    """How far intake has read the spool, one row; moved in the transaction that files what was read."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    segment = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.segment:016x}:{self.offset}"


class SeenEntry(models.Model):
    """An entry that was filed. It is known until its epoch's key is gone; after that it opens no more."""

    entry_id = models.UUIDField(primary_key=True)
    epoch = models.PositiveIntegerField(db_index=True)

    def __str__(self) -> str:
        return str(self.entry_id)


class AsideItem(models.Model):
    """Something in the spool that could not be filed. Its sealed bytes are in `data/aside/` where `kept`."""

    class Reason(models.TextChoices):
        """Why. A closed list: nothing of the content is told."""

        DAMAGED = "damaged", "damaged on disk"
        NO_KEY = "no_key", "its epoch's key is missing"
        UNOPENABLE = "unopenable", "sealed for another site, or altered"
        REFUSED = "refused", "could not be filed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    segment = models.BigIntegerField()
    offset = models.BigIntegerField()
    size = models.BigIntegerField()
    kind = models.PositiveSmallIntegerField(default=0)
    epoch = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    kept = models.BooleanField(default=False)
    filed_at = models.DateTimeField(null=True)
    """When a later try filed it after all."""
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["segment", "offset"], name="aside_once"),)

    def __str__(self) -> str:
        return f"{self.segment:016x}:{self.offset} {self.reason}"


class WorkerState(models.Model):
    """The worker's heartbeat, one row, written every few seconds."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    last_intake_at = models.DateTimeField(null=True)
    spool_bytes_waiting = models.BigIntegerField(default=0)
    spool_oldest_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"beat {self.beat_at}"

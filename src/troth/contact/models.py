"""The inbox in the database: states, times and opaque ids. What people wrote is in the vault's records."""

from typing import ClassVar

from django.db import models

from troth.core import clock
from troth.core.ids import new_id
from troth.vault.models import Person, RealPeople, Record


class Label(models.Model):
    """A word by which operators sort conversations. Theirs, not a visitor's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=30, unique=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Canned(models.Model):
    """An answer that is kept ready, the same for everybody."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=60, unique=True)
    text = models.TextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["title"]

    def __str__(self) -> str:
        return self.title


class Thread(models.Model):
    """A conversation with one person."""

    class State(models.TextChoices):
        """`waiting`: the last word is theirs. A closed one stays as it is; who writes again begins a new one."""

        WAITING = "waiting", "Waiting"
        ANSWERED = "answered", "Answered"
        CLOSED = "closed", "Closed"

        @property
        def words(self) -> str:
            """Return what the console calls it."""
            return "Open" if self == "waiting" else str(self.label)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="threads")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    labels = models.ManyToManyField(Label, related_name="threads")
    created_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    """When its last message came or went."""

    COUNTED_BY = "state"
    objects = RealPeople["Thread"]()
    with_canaries = models.Manager["Thread"]()

    class Meta:
        # With the id, a page of the list is a stretch of the index, however deep in the list it is.
        indexes = (
            models.Index(fields=["state", "last_at", "id"], name="thread_state"),
            models.Index(fields=["last_at", "id"], name="thread_last"),
        )

    def __str__(self) -> str:
        return str(self.id)


class Message(models.Model):
    """One message of a conversation. `id` is what the delivery of an answer is about."""

    class Direction(models.TextChoices):
        """Who wrote it."""

        IN = "in", "From them"
        OUT = "out", "From us"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    operator = models.UUIDField(null=True)
    """Who answered."""
    answers = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    """The message that an answer quotes."""
    at = models.DateTimeField()
    """When it was written: by the front's clock, never later than it was filed."""
    filed_at = models.DateTimeField(default=clock.now, db_index=True)

    PERSON = "thread__person"
    objects = RealPeople["Message"]()
    with_canaries = models.Manager["Message"]()

    class Meta:
        indexes = (models.Index(fields=["thread", "at"], name="message_thread"),)

    def __str__(self) -> str:
        return str(self.id)

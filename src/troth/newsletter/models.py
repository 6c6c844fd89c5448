"""The newsletter in the database: states, times and opaque ids. Addresses and names are in the vault's records."""

from django.db import models

from troth.core import clock
from troth.core.ids import new_id
from troth.vault.models import Person, RealPeople, Record


class Subscription(models.Model):
    """A person's place on the list. `id` is the subject of unsubscribe links."""

    class State(models.TextChoices):
        """Where they stand. `left` stays until the person confirms a new sign-up."""

        WAITING = "waiting", "Waiting"
        CONFIRMED = "confirmed", "Confirmed"
        LEFT = "left", "Left"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="subscription")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    COUNTED_BY = "state"
    objects = RealPeople["Subscription"]()
    with_canaries = models.Manager["Subscription"]()

    class Meta:
        indexes = (
            models.Index(fields=["state", "person"], name="subscription_state"),
            models.Index(fields=["confirmed_at"], name="subscription_confirmed"),
            models.Index(fields=["left_at"], name="subscription_left", condition=models.Q(left_at__isnull=False)),
        )

    def __str__(self) -> str:
        return str(self.id)


class Request(models.Model):
    """One sign-up. `id` is the subject of its confirm link; `record` holds what it brought until it is confirmed."""

    class State(models.TextChoices):
        """`over`: the person left after it was made, so its link does nothing any more."""

        OPEN = "open", "Open"
        CONFIRMED = "confirmed", "Confirmed"
        OVER = "over", "Over"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="requests")
    record = models.ForeignKey(Record, on_delete=models.SET_NULL, null=True, related_name="+")
    consent = models.ForeignKey(Record, on_delete=models.SET_NULL, null=True, related_name="+")
    entry_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    PERSON = "subscription__person"
    objects = RealPeople["Request"]()
    with_canaries = models.Manager["Request"]()

    class Meta:
        indexes = (models.Index(fields=["state", "expires_at"], name="request_state"),)

    def __str__(self) -> str:
        return str(self.id)


class Sentence(models.Model):
    """A sentence that stood beside the form: consents have its hash. The vendor's words; it stays."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    """SHA-256 of the text."""
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class DomainHour(models.Model):
    """How many mails one domain was given in one clock hour, sent or due: what the cap counts."""

    domain = models.BinaryField(max_length=16)
    """Keyed hash of the domain: enough to count by, and nothing else."""
    hour = models.BigIntegerField(db_index=True)
    """Whole hours since 1970."""
    mails = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["domain", "hour"], name="domain_hour"),)

    def __str__(self) -> str:
        return f"{self.hour}: {self.mails}"

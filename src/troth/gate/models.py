"""The outbox's tables: random ids, states and times. An email is composed when it is sent."""

from django.db import models
from django.db.models import Q

from troth.core import clock
from troth.core.ids import new_id
from troth.vault.models import Person, RealPeople


class Cause(models.Model):
    """For what mails and exports are held: a kind of detail of one person. Whose words, and never which.

    It holds until `quiet_at`; what it had held by then waits for an owner.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    category = models.CharField(max_length=20)
    held = models.PositiveIntegerField(default=0)
    """How much it has held since an owner last looked, or since it began."""
    since = models.DateTimeField(default=clock.now)
    quiet_at = models.DateTimeField(null=True)
    """Since when it holds nothing more."""

    objects = RealPeople["Cause"]()
    with_canaries = models.Manager["Cause"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "category"], name="cause_once"),)

    def __str__(self) -> str:
        return str(self.id)


class Delivery(models.Model):
    """One mail to one person: the sum over its states is all there are."""

    class State(models.TextChoices):
        """`uncertain`: the relay may have it. Tried once more while `next_at` is set; then it stays so.

        `held`: it carried what looks like somebody else's details. An owner looks, and lets it go or drops it.
        `skipped`: of a campaign: the recipient left, paused or was deleted first, or the campaign was cancelled.
        """

        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        UNCERTAIN = "uncertain", "Uncertain"
        FAILED = "failed", "Failed"
        SUPPRESSED = "suppressed", "Suppressed"
        SKIPPED = "skipped", "Skipped"
        HELD = "held", "Held"

        @property
        def words(self) -> str:
            """Return what became of the mail, for people, as the end of a sentence."""
            words = {
                "sending": "being sent",
                "uncertain": "delivery unknown",
                "failed": "rejected",
                "suppressed": "not sent",
                "skipped": "not sent",
                "held": "held for review",
            }
            return words.get(self.value, self.value)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16)
    """The name of a `core.rooms.EmailKind`; packages declare theirs in `room.py`."""
    about = models.UUIDField()
    """What it is about, in the room of its kind: a sign-up request, an answer, a rights request, a notice."""
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="deliveries", null=True)
    """Who gets it; None for an operator."""
    bulk = models.BooleanField(default=False)
    """Of a campaign: it is claimed by itself, so that a million of them keep no confirmation waiting."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    next_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    maybe_twice = models.BooleanField(default=False)
    released = models.BooleanField(default=False)
    """An owner looked at what was held, and let it go."""
    tripped = models.CharField(max_length=80, default="")
    """For what it was held: categories, parted by a space."""
    causes = models.ManyToManyField(Cause, related_name="mails")
    """And whose details these are, where that is known."""
    message_id = models.CharField(max_length=200)
    code = models.PositiveSmallIntegerField(null=True)
    """The relay's last reply code."""
    reason = models.CharField(max_length=40, default="")
    """A word from a closed list, never the relay's own text."""
    created_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    COUNTED_BY = "state"
    objects = RealPeople["Delivery"]()
    with_canaries = models.Manager["Delivery"]()

    class Meta:
        indexes = (
            # "not null" is the one condition by which SQLite, too, sees that a query may use the index.
            models.Index(fields=["bulk", "next_at"], name="delivery_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["about", "next_at"], name="delivery_due_about", condition=Q(next_at__isnull=False)),
            models.Index(fields=["about", "state"], name="delivery_about"),
            models.Index(fields=["lease_until"], name="delivery_lease", condition=Q(lease_until__isnull=False)),
            models.Index(fields=["person", "created_at"], name="delivery_person"),
            models.Index(fields=["claim"], name="delivery_claim", condition=Q(claim__isnull=False)),
            models.Index(fields=["state"], name="delivery_state"),
            models.Index(fields=["done_at"], name="delivery_done", condition=Q(done_at__isnull=False)),
        )

    def __str__(self) -> str:
        return str(self.id)


class DeliveryTotal(models.Model):
    """How many mails of one campaign had which state when their rows were removed, so that its sums stay whole.

    Rows go with their person, and after their retention period. A number about nobody.
    """

    about = models.UUIDField()
    state = models.CharField(max_length=10)
    mails = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["about", "state"], name="delivery_total"),)

    def __str__(self) -> str:
        return f"{self.state}: {self.mails}"

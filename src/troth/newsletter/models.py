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
    paused_until = models.DateTimeField(null=True)
    """Until when they asked to get no campaign."""
    language = models.CharField(max_length=35, default="", blank=True)
    """That of the sentence which they agreed to, as a tag; empty where it is not known, or once they left."""

    COUNTED_BY = "state"
    objects = RealPeople["Subscription"]()
    with_canaries = models.Manager["Subscription"]()

    class Meta:
        indexes = (
            models.Index(fields=["state", "person"], name="subscription_state"),
            models.Index(fields=["confirmed_at"], name="subscription_confirmed"),
            models.Index(fields=["left_at"], name="subscription_left", condition=models.Q(left_at__isnull=False)),
            models.Index(fields=["language", "person"], name="subscription_language"),
            models.Index(
                fields=["paused_until"], name="subscription_paused", condition=models.Q(paused_until__isnull=False)
            ),
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
    topics = models.PositiveBigIntegerField(default=0)
    """What was chosen with it, a bit for each `Topic.number`: subscribed to once it is confirmed."""
    language = models.CharField(max_length=35, default="", blank=True)
    """That of the sentence beside the form, as a tag; empty where it is not known."""
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
    language = models.CharField(max_length=35, default="", blank=True)
    """Its language, as a tag; empty where the settings did not say."""

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


class Topic(models.Model):
    """What subscribers may choose to read about. The vendor's words."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60, unique=True)
    description = models.CharField(max_length=200, default="", blank=True)
    public = models.BooleanField(default=True)
    """Whether the sign-up form and the preference centre offer it; else only operators subscribe people to it."""
    number = models.PositiveSmallIntegerField(unique=True)
    """From 0: its bit in a preference link. Never given to another topic."""
    created_at = models.DateTimeField(default=clock.now)
    archived_at = models.DateTimeField(null=True)
    """Since when nobody can choose it."""

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.name


class TopicSubscription(models.Model):
    """A subscriber chose a topic. It goes when they drop it, leave or are deleted."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="topics")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscribers")
    since = models.DateTimeField(default=clock.now)

    PERSON = "subscription__person"
    objects = RealPeople["TopicSubscription"]()
    with_canaries = models.Manager["TopicSubscription"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["topic", "subscription"], name="topic_once"),)

    def __str__(self) -> str:
        return str(self.pk)


class Campaign(models.Model):
    """An email to many subscribers: what it says, for whom, and how far it is. Nobody's details."""

    class State(models.TextChoices):
        """`preparing`: the recipients are being written down. Who is on the list later is not among them."""

        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        PREPARING = "preparing", "Preparing"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.CharField(max_length=200, default="", blank=True)
    preheader = models.CharField(max_length=200, default="", blank=True)
    """What mail programs show beside the subject."""
    markdown = models.TextField(default="", blank=True)
    template = models.CharField(max_length=20, default="newsletter")
    language = models.CharField(max_length=35, default="en")
    """Of its text, as a tag; the footer's words follow it."""
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns")
    """None: everybody who is subscribed."""
    to_language = models.CharField(max_length=35, default="", blank=True)
    """Only to subscribers of this language, as a tag; empty: whatever theirs is."""
    signed_up_from = models.DateField(null=True, blank=True)
    signed_up_until = models.DateField(null=True, blank=True)
    """Segment by the day of confirmation, both included, in the site's time zone."""
    public = models.BooleanField(default=True)
    """Whether the archive on the website shows it once it is sent."""
    link_name = models.CharField(max_length=40, default="", blank=True)
    """`utm_campaign` of links to the vendor's own site; empty: none. The same for every recipient."""
    state = models.CharField(max_length=10, default=State.DRAFT, db_index=True)
    revision = models.PositiveIntegerField(default=1)
    """Counts saves, so that none overwrites another unseen."""
    scheduled_time = models.CharField(max_length=16, default="", blank=True)
    """Wall time `2026-12-01T09:00` in `scheduled_zone`: the zone's rules may change before it comes."""
    scheduled_zone = models.CharField(max_length=64, default="", blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    """The same as a moment."""
    paused_from = models.CharField(max_length=10, default="", blank=True)
    """The state that it goes back to when it is resumed."""
    details_accepted = models.PositiveIntegerField(default=0)
    """The revision in which an owner let somebody's details stand that the leak check found in the text."""
    problem = models.CharField(max_length=300, default="", blank=True)
    """Why the worker paused it; empty: it did not."""
    audience = models.PositiveIntegerField(default=0)
    """How many recipients were written down."""
    prepared_to = models.UUIDField(null=True, blank=True)
    """The last person looked at while the recipients are written down."""
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    """Since when it is hidden from the console's list."""

    class Meta:
        indexes = (models.Index(fields=["due_at"], name="campaign_due", condition=models.Q(due_at__isnull=False)),)

    def __str__(self) -> str:
        return str(self.id)


class CampaignTest(models.Model):
    """A test of a campaign, sent to an operator."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tests")
    operator = models.UUIDField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.id)


class DraftedFeed(models.Model):
    """A feed that campaigns were drafted from: which items it had, so that the next draft knows what is new."""

    key = models.BinaryField(primary_key=True, max_length=16)
    """Hash of the feed's address."""
    items = models.BinaryField()
    """Hashes of the items' ids, eight bytes each."""
    drafted_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.drafted_at:%Y-%m-%d}"


class MailTemplate(models.Model):
    """The words of a transactional email, which an operator's own program sends to one person by API. Nobody's
    details: what is the person's is filled in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=40, unique=True)
    """By which the program asks for it: `receipt`."""
    subject = models.CharField(max_length=200)
    markdown = models.TextField()
    template = models.CharField(max_length=20, default="plain")
    language = models.CharField(max_length=35, default="en")
    details_accepted = models.BooleanField(default=False)
    """Whether an owner let somebody's details stand that the leak check found in the text."""
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class TransactionalMail(models.Model):
    """A transactional email that a program asked for. `id` is what its delivery is about, and what the program asks by.
    The values of its data fields are in `record`, encrypted under the person's key."""

    id = models.UUIDField(primary_key=True, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    template = models.ForeignKey(MailTemplate, on_delete=models.SET_NULL, null=True, related_name="+")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    token = models.UUIDField()
    """The API token's random id."""
    fingerprint = models.BinaryField(max_length=16, default=bytes)
    """HMAC of the request under the token, which is stored nowhere: tells whether a repeated request is the same."""
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    objects = RealPeople["TransactionalMail"]()
    with_canaries = models.Manager["TransactionalMail"]()

    def __str__(self) -> str:
        return str(self.id)


class CampaignImage(models.Model):
    """A picture in campaigns, encoded anew and without metadata; the public server hosts it. The vendor's own."""

    name = models.CharField(max_length=80, primary_key=True)
    """Hash of its bytes and its ending: `3f1c….png`."""
    media_type = models.CharField(max_length=20)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name

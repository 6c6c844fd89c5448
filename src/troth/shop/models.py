"""The shop in the database: what is sold, who bought what by random ID, and every amount that came or went.

No buyer's detail is in a column: these are in the vault, in the person's details and in their invoices. Of a card there
are its brand and last four digits, which the order shows and a buyer tells who asks about a payment (PCI DSS, 3.4.1).
Amounts are whole numbers of the currency's smallest unit (`core.money`).
"""

from typing import ClassVar
from uuid import UUID, uuid5

from django.db import models

from troth.core import clock
from troth.core.ids import new_id
from troth.vault.models import Person, RealPeople

_ORDERS = UUID("3f0a8a7e-58a4-5d0b-8a0c-6c4a4f5a1d3b")

# -- what is sold ---------------------------------------------------------------------------------------------------


class Product(models.Model):
    """Something that is sold, as the operator's file names it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=40, unique=True)
    """In its address: `/buy/<slug>`."""
    name = models.CharField(max_length=100)
    description = models.TextField(default="")
    place = models.PositiveIntegerField(default=0)
    """Its place among the others."""
    on_sale = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["place", "slug"]

    def __str__(self) -> str:
        return self.slug


class Edition(models.Model):
    """A variant of a product with prices of its own: for one seat, for a team."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="editions")
    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    seats = models.PositiveIntegerField(default=1)
    place = models.PositiveIntegerField(default=0)
    on_sale = models.BooleanField(default=True)
    company_product = models.CharField(max_length=100, default="")
    """What the card company calls it; empty until it is published."""

    class Meta:
        ordering: ClassVar[list[str]] = ["place", "slug"]
        constraints = (models.UniqueConstraint(fields=["product", "slug"], name="edition_slug"),)

    def __str__(self) -> str:
        return self.slug

    @property
    def title(self) -> str:
        """Return product and edition as buyers read them."""
        return self.product.name if self.name in ("", self.product.name) else f"{self.product.name}, {self.name}"


class Price(models.Model):
    """What an edition costs in one currency. Never changed: another amount is another price, and a buyer who opened the
    earlier one's page still pays that."""

    class State(models.TextChoices):
        """`new` until it is published at the card company, `ending` until its page there is closed."""

        NEW = "new", "Not published"
        ON_SALE = "on_sale", "On sale"
        ENDING = "ending", "Being withdrawn"
        ENDED = "ended", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    """Our reference: it comes back with each checkout."""
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    tax = models.CharField(max_length=10, default="none")
    """Who computes tax, as `tax` under [shop] said when it was made."""
    tax_included = models.BooleanField(default=True)
    codes = models.BooleanField(default=False)
    """Whether its page takes the codes of coupons."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    company_price = models.CharField(max_length=100, default="")
    company_link = models.CharField(max_length=100, default="")
    url = models.CharField(max_length=300, default="")
    """The card company's page where it is paid."""
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["currency", "created_at"]
        constraints = (
            models.UniqueConstraint(
                fields=["edition", "currency"], condition=models.Q(state__in=["new"]), name="price_new"
            ),
            models.UniqueConstraint(
                fields=["edition", "currency"], condition=models.Q(state__in=["on_sale"]), name="price_on_sale"
            ),
        )

    def __str__(self) -> str:
        return str(self.id)


class Coupon(models.Model):
    """A code for which buyers pay less. Never changed: another rebate is another coupon."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    percent = models.PositiveSmallIntegerField(null=True)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    until = models.DateTimeField(null=True)
    """When it ends; None: when it is taken out of the file."""
    state = models.CharField(max_length=10, choices=Price.State.choices, default=Price.State.NEW)
    company_code = models.CharField(max_length=100, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["code", "created_at"]

    def __str__(self) -> str:
        return self.code


# -- what was bought ------------------------------------------------------------------------------------------------


class Order(models.Model):
    """One purchase. Only `settlement` writes it."""

    class State(models.TextChoices):
        """In the order in which an order goes through them: never back."""

        PENDING = "pending", "Payment pending"
        FAILED = "failed", "Payment failed"
        PAID = "paid", "Paid"
        PART_REFUNDED = "part_refunded", "Partly refunded"
        REFUNDED = "refunded", "Refunded"

    id = models.UUIDField(primary_key=True, editable=False)
    """Derived from the checkout: settled again after a restore, it is the same."""
    number = models.CharField(max_length=20, unique=True)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="orders")
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="orders")
    """None once they are deleted: the amounts stay, for the books."""
    state = models.CharField(max_length=15, choices=State.choices)
    problem = models.CharField(max_length=20, default="")
    """What did not agree with what was offered, in one word of `settlement.PROBLEMS`; nothing is delivered then."""
    revision = models.PositiveIntegerField(default=0)
    """How often it was settled: an answer that was asked for before the last time is out of date."""
    checkout = models.CharField(max_length=200, unique=True)
    payment = models.CharField(max_length=100, default="", db_index=True)
    customer = models.CharField(max_length=100, default="")
    """What the card company calls the buyer, if it keeps them; empty once they are deleted there, too."""
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    tax_rate = models.PositiveIntegerField(default=0)
    """In hundredths of a percent."""
    country = models.CharField(max_length=2, default="")
    card_brand = models.CharField(max_length=20, default="")
    last4 = models.CharField(max_length=4, default="", db_index=True)
    created_at = models.DateTimeField()
    """When the buyer began to pay, by the card company's clock."""
    paid_at = models.DateTimeField(null=True, db_index=True)
    compared_at = models.DateTimeField(null=True)
    """When it last agreed with the card company."""

    objects = RealPeople["Order"]()
    with_canaries = models.Manager["Order"]()

    class Meta:
        indexes = (models.Index(fields=["created_at", "id"], name="order_created"),)

    def __str__(self) -> str:
        return self.number


class Movement(models.Model):
    """An amount that came or went: appended, never changed. The sum of an order's movements is what we have of it."""

    class Kind(models.TextChoices):
        """Why."""

        PAYMENT = "payment", "Payment"
        REFUND = "refund", "Refund"
        REFUND_FAILED = "refund_failed", "Refund failed"
        DISPUTE = "dispute", "Disputed"
        DISPUTE_WON = "dispute_won", "Dispute won"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    amount = models.BigIntegerField()
    """Above zero: it came."""
    tax = models.BigIntegerField(default=0)
    """The tax in it, with the same sign."""
    currency = models.CharField(max_length=3)
    document = models.CharField(max_length=30, default="", db_index=True)
    """Number of the invoice or credit note; empty where there is none."""
    at = models.DateTimeField(default=clock.now, db_index=True)

    PERSON = "order__person"
    objects = RealPeople["Movement"]()
    with_canaries = models.Manager["Movement"]()

    def __str__(self) -> str:
        return str(self.id)


class Dispute(models.Model):
    """A buyer asks their bank for the money."""

    id = models.CharField(primary_key=True, max_length=100)
    """The card company's."""
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="disputes")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=50)
    state = models.CharField(max_length=30)
    due_at = models.DateTimeField(null=True)
    """Until when evidence is taken."""
    changed_at = models.DateTimeField(default=clock.now)

    PERSON = "order__person"
    objects = RealPeople["Dispute"]()
    with_canaries = models.Manager["Dispute"]()

    def __str__(self) -> str:
        return self.id


class DocumentNumber(models.Model):
    """The last number of a year's invoices and credit notes: locked by whoever takes the next, so that none is left
    out."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.year)


# -- what is to be asked --------------------------------------------------------------------------------------------


class CompanyEvent(models.Model):
    """An event of the card company, known by a notice or by its list."""

    id = models.CharField(primary_key=True, max_length=100)
    type = models.CharField(max_length=60)
    happened_at = models.DateTimeField(db_index=True)
    known_at = models.DateTimeField(default=clock.now)
    by_notice = models.BooleanField()
    about = models.CharField(max_length=200, default="", db_index=True)
    """The question that it raised; empty if it is of no interest."""
    settled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.id


class Question(models.Model):
    """A checkout or a payment that the card company is to be asked about."""

    class Kind(models.TextChoices):
        """What `about` is the id of."""

        CHECKOUT = "checkout", "Checkout"
        PAYMENT = "payment", "Payment"

    about = models.CharField(primary_key=True, max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.PositiveIntegerField(default=1)
    """Rises whenever it is asked for anew: an answer closes the question as it was put."""
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now, db_index=True)
    problem = models.CharField(max_length=20, default="")
    """Why the last try brought no answer, in one word."""
    since = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.about


class RefusedNotice(models.Model):
    """How many notices of one day were refused, by reason; nothing of them is kept."""

    day = models.DateField()
    reason = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["day", "reason"], name="refused_notice"),)

    def __str__(self) -> str:
        return self.reason


class RefundOrder(models.Model):
    """A refund that an operator ordered: its id is the key by which the card company does it once."""

    class State(models.TextChoices):
        """`queued` until the card company answered."""

        QUEUED = "queued", "Queued"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refund_orders")
    amount = models.BigIntegerField()
    operator = models.CharField(max_length=40)
    """The operator's random ID, or `shell`."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=60, default="")
    """Why the card company refused, in its own one word."""
    next_at = models.DateTimeField(default=clock.now, db_index=True)
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    PERSON = "order__person"
    objects = RealPeople["RefundOrder"]()
    with_canaries = models.Manager["RefundOrder"]()

    def __str__(self) -> str:
        return str(self.id)


class CustomerToForget(models.Model):
    """A buyer whom the card company is to delete, because they were deleted here."""

    customer = models.CharField(primary_key=True, max_length=100)
    next_at = models.DateTimeField(default=clock.now, db_index=True)
    tries = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.customer


class Comparison(models.Model):
    """The last comparison with the card company; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    events_until = models.DateTimeField(null=True)
    """Events up to here are known."""
    at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(default=clock.now)
    orders = models.PositiveIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=20, default="")

    def __str__(self) -> str:
        return str(self.at)


def order_id(checkout: str) -> UUID:
    """Return the id of the order that a checkout becomes."""
    return uuid5(_ORDERS, checkout)

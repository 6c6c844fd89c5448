"""Who asked for their own record, and which exports were held: opaque ids and times, not the address that was typed."""

from django.db import models
from django.db.models import Q

from troth.core import clock
from troth.core.ids import new_id
from troth.gate.models import Cause
from troth.vault.models import Person, RealPeople


class RightsRequest(models.Model):
    """Somebody asked what is kept of them. `id` is the subject of the link that was mailed to them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    """None once they were erased: the link still shows the receipt, and leads to nobody."""
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    mailed_at = models.DateTimeField(null=True)
    """When they asked to have it by mail: once for each link."""

    objects = RealPeople["RightsRequest"]()
    with_canaries = models.Manager["RightsRequest"]()

    def __str__(self) -> str:
        return str(self.id)


class HeldExport(models.Model):
    """An operator's export that seems to have somebody else's details. It is not kept but made anew. Waits for an owner
    until `decided_at`; once let go, the same person's export passes for a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    """Whose export it was to be."""
    asked_by = models.CharField(max_length=40)
    """`shell`, or the operator's opaque id."""
    asked_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=10)
    """`leak`, or `unchecked`: it could not be looked through whole."""
    tripped = models.CharField(max_length=80, default="")
    """For what it was held: categories, parted by a space."""
    causes = models.ManyToManyField(Cause, related_name="exports")
    decided_at = models.DateTimeField(null=True)
    released = models.BooleanField(default=False)

    objects = RealPeople["HeldExport"]()
    with_canaries = models.Manager["HeldExport"]()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person"], condition=Q(decided_at=None), name="export_held_once"),
        )

    def __str__(self) -> str:
        return str(self.id)

"""What was published, what was proven, and who asked for their own record: versions, verdicts, opaque ids and times.

The address that was typed into a request is not kept; exports that were held are ids and times. Nothing else in here is
about a person.
"""

import json
from datetime import UTC
from hashlib import sha256

from django.db import models
from django.db.models import Q

from troth.core import clock
from troth.core.ids import new_id
from troth.gate.models import Cause
from troth.vault.models import Person, RealPeople


class PolicyVersion(models.Model):
    """One version of the policy, as it was published. Never changed, never removed."""

    number = models.PositiveIntegerField(primary_key=True)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the text, hex."""
    tables = models.JSONField(default=dict)
    """The tables as the code made them then, by the place that they fill: rows of cells."""
    said = models.TextField(default="")
    """What changed, in the operator's words."""
    by = models.CharField(max_length=36, default="")
    """Who published it: an operator's id, `shell`, or `worker` for the first."""
    published_at = models.DateTimeField(default=clock.now)
    link = models.CharField(max_length=64, default="")
    """SHA-256 over all of this and the link of the version before, hex."""

    def __str__(self) -> str:
        return f"version {self.number}"

    def linked(self) -> str:
        """What `link` must be."""
        before = PolicyVersion.objects.filter(number=self.number - 1).values_list("link", flat=True).first()
        at = self.published_at.astimezone(UTC).isoformat()
        told = [before or "", self.number, at, self.digest, self.tables, self.said, self.by]
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def is_whole(self) -> bool:
        """Whether it is still what was published: text, tables, date, words, and what came before."""
        text = sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return text == self.digest and self.linked() == self.link


class ProofRun(models.Model):
    """One run of proofs: when, and what each found. `results`: promise id, then proof id, then state and detail."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    light = models.BooleanField()
    began_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, db_index=True)
    results = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{'light' if self.light else 'full'} run {self.began_at}"


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
    """An export for the operator that carried what looks like somebody else's details. It is not kept: it is made anew.

    Waits for an owner until `decided_at`. Let go, the same person's export passes for a day.
    """

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

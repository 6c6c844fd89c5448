"""What was published and what was proven, in the database. Nothing in here is about a person."""

from hashlib import sha256

from django.db import models

from troth.ground import clock
from troth.ground.ids import new_id


class PolicyVersion(models.Model):
    """One version of the policy, as it was published. Never changed, never removed."""

    number = models.PositiveIntegerField(primary_key=True)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the text, hex."""
    said = models.TextField(default="")
    """What changed, in the operator's words."""
    published_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"version {self.number}"

    def is_whole(self) -> bool:
        """Whether the text is still the one whose digest was written down."""
        return sha256(self.text.encode()).hexdigest() == self.digest


class ProofRun(models.Model):
    """One run of proofs: when, and what each found. `results`: promise id, then proof id, then state and detail."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    light = models.BooleanField()
    began_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, db_index=True)
    results = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{'light' if self.light else 'full'} run {self.began_at}"

"""Versions of the policy and results of proofs. Holds no personal data."""

import json
from datetime import UTC
from hashlib import sha256

from django.db import models

from troth.core import clock
from troth.core.ids import new_id


class PolicyVersion(models.Model):
    """One published version of the policy, never changed or removed."""

    number = models.PositiveIntegerField(primary_key=True)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the text, hex."""
    tables = models.JSONField(default=dict)
    """The tables at that time, by the place that they fill: rows of cells."""
    said = models.TextField(default="")
    """What changed, in the operator's words."""
    by = models.CharField(max_length=36, default="")
    """Who published it: an operator's id, `shell`, or `worker` for the first."""
    published_at = models.DateTimeField(default=clock.now)
    link = models.CharField(max_length=64, default="")
    """SHA-256 over all of this and the link of the previous version, hex."""

    def __str__(self) -> str:
        return f"version {self.number}"

    def linked(self) -> str:
        """Compute what `link` must be."""
        before = PolicyVersion.objects.filter(number=self.number - 1).values_list("link", flat=True).first()
        at = self.published_at.astimezone(UTC).isoformat()
        content = [before or "", self.number, at, self.digest, self.tables, self.said, self.by]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def is_whole(self) -> bool:
        """Return whether text, tables, date, words and predecessor are unchanged since publication."""
        text = sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return text == self.digest and self.linked() == self.link


class ProofRun(models.Model):
    """One proof run. `results`: by promise id and proof id, the state and detail."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    light = models.BooleanField()
    began_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, db_index=True)
    results = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{'light' if self.light else 'full'} run {self.began_at}"

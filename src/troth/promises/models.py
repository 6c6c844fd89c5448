"""Requests about one's own record: opaque ids and times. The address that was typed is not kept."""

from django.db import models

from troth.ground import clock
from troth.ground.ids import new_id
from troth.vault.models import Person


class RightsRequest(models.Model):
    """Somebody asked what is kept of them. `id` is the subject of the link that was mailed to them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    """None once they were erased: the link still shows the receipt, and leads to nobody."""
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    mailed_at = models.DateTimeField(null=True)
    """When they asked to have it by mail: once for each link."""

    def __str__(self) -> str:
        return str(self.id)

"""The gate as a Django app."""

from django.apps import AppConfig


class GateConfig(AppConfig):
    """The mails that are to leave, and what became of each."""

    name = "troth.gate"
    label = "gate"

    def ready(self) -> None:
        """Register the outbox, whose rows are counted."""
        from troth.gate.models import Delivery
        from troth.vault.row_counts import CountedTable, watch

        watch(self, CountedTable("delivery", "gate_delivery", "person_id", "state", tuple(Delivery.State.values)))

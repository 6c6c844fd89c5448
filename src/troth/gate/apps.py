"""The gate as a Django app."""

from django.apps import AppConfig


class GateConfig(AppConfig):
    """The mails that are to leave, and what became of each."""

    name = "troth.gate"
    label = "gate"

    def ready(self) -> None:
        """Have mails counted as they come and go, and a campaign's sums kept when people are deleted."""
        from django.db.models import Q

        from troth.gate import bulk
        from troth.gate.models import Delivery
        from troth.vault import keeper
        from troth.vault.row_counts import CountedTable, watch

        keeper.before_people_go.append(lambda people: bulk.keep_sums(Q(person__in=people)))
        watch(self, CountedTable("delivery", "gate_delivery", "person_id", "state", tuple(Delivery.State.values)))

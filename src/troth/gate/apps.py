"""The gate as a Django app."""

from django.apps import AppConfig


class GateConfig(AppConfig):
    """The mails that are to leave, and what became of each."""

    name = "troth.gate"
    label = "gate"

    def ready(self) -> None:
        """Keep the sums of campaigns when people are deleted."""
        from django.db.models import Q

        from troth.gate import bulk
        from troth.vault import keeper

        keeper.before_people_go.append(lambda people: bulk.keep_sums(Q(person__in=people)))

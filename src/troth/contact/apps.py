"""Contact as a Django app."""

from django.apps import AppConfig


class ContactConfig(AppConfig):
    """Contact messages, conversations and answers."""

    name = "troth.contact"
    label = "contact"

    def ready(self) -> None:
        """Have conversations counted as they come and go."""
        from troth.contact.models import Thread
        from troth.vault.row_counts import CountedTable, watch

        watch(self, CountedTable("thread", "contact_thread", "person_id", "state", tuple(Thread.State.values)))

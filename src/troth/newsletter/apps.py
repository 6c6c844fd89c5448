"""The newsletter as a Django app."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Sign-ups, subscriptions and the mails they cause."""

    name = "troth.newsletter"
    label = "newsletter"

    def ready(self) -> None:
        """Have subscriptions counted as they come and go."""
        from troth.newsletter.models import Subscription
        from troth.vault.row_counts import CountedTable, watch

        watch(
            self,
            CountedTable(
                "subscription", "newsletter_subscription", "person_id", "state", tuple(Subscription.State.values)
            ),
        )

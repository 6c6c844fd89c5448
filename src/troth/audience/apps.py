"""The audience as a Django app."""

from django.apps import AppConfig


class AudienceConfig(AppConfig):
    """Visitor statistics: sums, and nobody."""

    name = "troth.audience"
    label = "audience"

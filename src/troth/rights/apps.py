"""What a person may demand, as a Django app."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """Requests, exports, erasure."""

    name = "troth.rights"
    label = "rights"

"""What a person may demand, as a Django app: templates, no models."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """Requests, exports, erasure."""

    name = "troth.rights"
    label = "rights"

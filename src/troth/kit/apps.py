"""The kit as a Django app: templates, tags and static files, no models."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    """What the console's pages are made of."""

    name = "troth.kit"
    label = "kit"

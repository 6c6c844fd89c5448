"""The people of all packages, as a Django app: templates, no models."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People: search, pages, import and export."""

    name = "troth.people"
    label = "people"

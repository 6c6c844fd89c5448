"""Contact as a Django app."""

from django.apps import AppConfig


class ContactConfig(AppConfig):
    """Contact messages, conversations and answers."""

    name = "troth.contact"
    label = "contact"

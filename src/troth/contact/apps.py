"""The inbox as a Django app."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Contact messages, conversations and answers."""

    name = "troth.contact"
    label = "inbox"

"""The gate as a Django app."""

from django.apps import AppConfig


class GateConfig(AppConfig):
    """The mails that are to leave, and what became of each."""

    name = "troth.gate"
    label = "gate"

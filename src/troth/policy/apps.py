"""Promises as a Django app."""

from django.apps import AppConfig


class PromisesConfig(AppConfig):
    """People and their rights, over all rooms."""

    name = "troth.policy"
    label = "promises"

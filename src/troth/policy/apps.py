"""The policy as a Django app."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    """The policy's versions, its promises and their proofs."""

    name = "troth.policy"
    label = "policy"

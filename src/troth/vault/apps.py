"""The vault as a Django app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """People, their records, the ledger, and where intake stands."""

    name = "troth.vault"
    label = "vault"

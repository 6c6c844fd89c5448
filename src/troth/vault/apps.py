"""The vault as a Django app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """People, their records, the ledger, and where intake stands."""

    name = "troth.vault"
    label = "vault"

    def ready(self) -> None:
        """Register the tables whose rows are counted. All models are loaded by now."""
        from troth.vault import row_counts

        row_counts.watch_models()

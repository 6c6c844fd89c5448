"""The vault as a Django app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """People, their records, the ledger, and where intake stands."""

    name = "troth.vault"
    label = "vault"

    def ready(self) -> None:
        """Have rows counted as they come and go. All models are loaded by now."""
        from troth.vault import row_counts

        row_counts.watch_models()

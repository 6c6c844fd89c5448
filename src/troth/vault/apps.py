"""The vault as a Django app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """People, their records, the ledger, and where intake stands."""

    name = "troth.vault"
    label = "vault"

    def ready(self) -> None:
        """Register the tables whose rows are counted."""
        from troth.vault.row_counts import CountedTable, watch

        watch(self, CountedTable("person", "vault_person", "id"))

"""The office as a Django app."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """Operators and the console's own pages."""

    name = "troth.office"
    label = "office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the signal receiver that runs at sign-in."""
        from troth.office.sign_in import sessions  # noqa: F401 - registers a signal's receiver

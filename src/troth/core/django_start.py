"""Start Django for one site: what every process and command does before it imports a model."""

import os
from pathlib import Path

import django


def set_up(root: Path) -> None:
    """Point Django at the site in the folder `root`. Raises `TrothError` where its settings are not valid."""
    os.environ["TROTH_SITE"] = str(root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    django.setup()

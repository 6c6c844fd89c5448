"""Brings the database up to date before anything serves. Runs in the worker's fence, as the worker's user."""

import os
import sys

from troth.launch.brief import Brief


def run(brief: Brief) -> None:
    """Apply all migrations. Exits with 1 and one line where the database cannot be reached or changed."""
    os.environ["TROTH_SITE"] = brief.site
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.settings"
    import django
    from django.core.management import call_command
    from django.db import Error

    django.setup()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except Error as error:
        # Only the kind: a driver's message may quote a value.
        print(f"migrate: the database refused ({type(error).__name__})", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)

"""A Python that has imported Django and all of Troth, for children that are forked from it.

A command imports for half a second before it does anything, and the tests run some hundred of them. What a child that
is forked from here does is what a process of its own does: Django has not been told of a site yet.
"""

import gc
import importlib
import os
import pkgutil
import sys

import django
from django.conf import empty, settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader

import troth

_NOT = ("troth.front", "troth.clerk", "troth.demo", "troth.cli.console", "troth.django_settings")
"""What no command uses, and what looks at its environment or its site while it is imported."""
_LAZY = ("email_validator", "phonenumbers", "rich.progress", "rich.table", "django.db.backends.sqlite3.base")


def warm() -> None:
    """Import everything that a command may."""
    os.environ.pop("TROTH_SITE", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    django.setup()
    for module in pkgutil.walk_packages(troth.__path__, "troth."):
        if not module.name.startswith(_NOT) and not module.name.endswith(("__main__", ".urls")):
            importlib.import_module(module.name)
    for name in _LAZY:
        importlib.import_module(name)
    MigrationLoader(None)
    _forget()
    gc.collect()
    gc.freeze()  # nothing of it is ever given back: children need not look at it


def _forget() -> None:
    """Have Django ask for its settings again."""
    del os.environ["DJANGO_SETTINGS_MODULE"]
    settings._wrapped = empty
    sys.modules.pop("troth.django_settings", None)
    connections.close_all()
    del connections["default"]
    connections._settings = None
    connections.__dict__.pop("settings", None)

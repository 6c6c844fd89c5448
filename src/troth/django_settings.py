"""Django's settings for worker and office: read from the site folder that TROTH_SITE names, and from nowhere else.

Without TROTH_SITE (type checker, migrations being made, tests of rooms that need no site) everything lies in memory.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from troth.core.config import sections as _config
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.rooms import ROOMS
from troth.core.site import Site
from troth.office import settings as _office

_root = os.environ.get("TROTH_SITE", "")

TROTH_SITE = Site(Path(_root or "/nonexistent"))
TROTH_CONFIG = (
    load_config(TROTH_SITE.config)
    if _root
    else _config.Config(site=_config.SiteSection(name="Example Software", url="http://127.0.0.1:8080"))
)

# temp_store: a large statement would otherwise keep its journal in a file in /tmp, which the fence refuses, rightly.
_SQLITE_START = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=1000; "
    "PRAGMA temp_store=MEMORY;"
)


def sqlite(path: str) -> dict[str, Any]:
    """Return settings for SQLite: what was committed lasts, what was deleted leaves its pages."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": _SQLITE_START},
    }


def postgresql(url: str, password_file: Path) -> dict[str, Any]:
    """Return settings for `postgresql://user@host:5432/name`; a folder as host (`%2Frun%2F…`) is a UNIX socket."""
    parts = urlsplit(url)
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise TrothError(
            "The database URL isn't valid.",
            mend="Write `url` under [database] as `postgresql://user@host:5432/name`, or leave it empty for SQLite.",
        )
    # A password in the address would stand in troth.toml, which is no secret; the file is.
    password = password_file.read_text().strip() if password_file.is_file() else unquote(parts.password or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": password,
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # What the address asks for (`sslmode=verify-full`, without which the gate refuses a far one) reaches libpq.
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
        "CONN_HEALTH_CHECKS": True,
    }


def _database() -> dict[str, Any]:
    if TROTH_CONFIG.database.url:
        return postgresql(TROTH_CONFIG.database.url, TROTH_SITE.database_password)
    return sqlite(str(TROTH_SITE.database)) if _root else sqlite(":memory:")


def _secret() -> str:
    try:
        return (TROTH_SITE.office_keys / "secret.key").read_text().strip()
    except (FileNotFoundError, PermissionError):
        return secrets.token_urlsafe(48)  # the worker may not read the office's key, and signs nothing with its own


SECRET_KEY = _secret()
DEBUG = False
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    *_office.APPS[:-1],
    "troth.vault",
    "troth.gate",
    *(f"troth.{room}" for room in ROOMS),
    *_office.APPS[-1:],
]
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None  # each process sets up its own log; Django's would print requests

_console = _office.office(url=TROTH_CONFIG.office.url, site_name=TROTH_CONFIG.site.name)
if "EMAIL_BACKEND" in _console:  # Django 6.1 names it otherwise
    MAILERS = {"default": {"BACKEND": _console.pop("EMAIL_BACKEND")}}
globals().update(_console)
AUTH_USER_MODEL = "office.Operator"

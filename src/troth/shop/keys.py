"""The shop's files among the keys: the API key, what notices are signed with, the path where they come in. Put there by
the operator's commands, never by a setting. Writes `keys/`."""

import os
import re
import secrets
from pathlib import Path

from troth.core.disk import sync_folder, write_synced
from troth.core.errors import TrothError
from troth.core.site import Site

_KEY = re.compile(r"(?:rk|sk)_[A-Za-z0-9_]{8,250}")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,250}")
NOTICES = "notices"
"""The first part of the path where notices come in."""


class KeyFileRefused(TrothError):
    """What was given is not what belongs into this file. Names no value."""


def put_key(site: Site, key: str) -> bool:
    """Keep the key to the API; return whether it is a restricted one. Raises `KeyFileRefused`."""
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise KeyFileRefused(
            "This is no API key of the card company.", mend="A restricted key begins with rk_; see docs/shop.md."
        )
    _write(site, site.card_company_key, key)
    if not site.card_company_path.exists():
        _write(site, site.card_company_path, secrets.token_hex(24))
    return key.startswith("rk_")


def put_secret(site: Site, secret: str) -> None:
    """Keep a signing secret; the one before stays good until the next. Raises `KeyFileRefused`."""
    secret = secret.strip()
    if not _SECRET.fullmatch(secret):
        raise KeyFileRefused("This is no signing secret of the card company.", mend="It begins with whsec_.")
    earlier = site.card_company_secrets.read_text("utf-8").split() if site.card_company_secrets.is_file() else []
    _write(site, site.card_company_secrets, "\n".join([secret, *[line for line in earlier if line != secret][:1]]))


def notice_address(site: Site, url: str) -> str:
    """Return the address to which the card company sends notices; empty while there is no key."""
    path = site.card_company_path
    return f"{url}/{NOTICES}/{path.read_text('utf-8').strip()}" if path.is_file() else ""


def _write(site: Site, path: Path, text: str) -> None:
    """Write a file for the worker, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_synced(fresh, f"{text}\n".encode(), mode=0o600)
    if os.geteuid() == 0:
        worker = site.people_keys.stat()
        os.chown(fresh, worker.st_uid, -1)
    fresh.rename(path)
    sync_folder(site.keys)

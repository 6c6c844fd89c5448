"""The card company as this process asks it: the key from `keys/`, the door from the settings. The worker and commands
have it; office and front do not."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site
from troth.gate import doors
from troth.gate.card_company.types import CardCompany

if TYPE_CHECKING:
    from troth.gate.card_company import stripe_company
else:  # the company's client is large, and most sites sell nothing
    stripe_company = lazy("troth.gate.card_company.stripe_company")

_TIMEOUT_SECONDS = 10.0
_MOST_SECRETS = 2
_MEND = "Put it there: `troth shop key` (docs/shop.md)."


class NoShop(TrothError):
    """Selling is off, or not set up."""


def load() -> None:
    """Load the card company's client if the shop is on. To be called before the tripwire is armed: a library that comes
    with it (urllib3 2.x) binds a socket while it is imported, to see whether this machine has IPv6."""
    if settings.TROTH_CONFIG.shop.enabled:
        _ = stripe_company.StripeCompany


def company() -> CardCompany:
    """Return the card company. Raises `NoShop` if the shop is off or has no key. Each call is tried once: whoever asks
    comes back with the same key."""
    config, site = settings.TROTH_CONFIG, settings.TROTH_SITE
    if not config.shop.enabled:
        raise NoShop("The shop is off.", mend="Turn it on: enabled = true under [shop] in troth.toml.")
    return _opened(site.root, config.shop.api)


@cache
def _opened(root: Path, api: str) -> CardCompany:
    key = _text(Site(root).card_company_key)
    if not key:
        raise NoShop("keys/card-company-key is missing or empty.", mend=_MEND)
    return stripe_company.StripeCompany(doors.card_company(api), key, timeout=_TIMEOUT_SECONDS, retries=0)


def notice_secrets() -> tuple[str, ...]:
    """Return what notices are signed with: the present secret, and the one before while it is changed."""
    lines = [line.strip() for line in _text(settings.TROTH_SITE.card_company_secrets).splitlines()]
    return tuple(filter(None, lines))[:_MOST_SECRETS]


def notice_path() -> str:
    """Return the last part of the address where notices come in; empty if there is none yet."""
    return _text(settings.TROTH_SITE.card_company_path)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeError):
        raise NoShop(
            f"keys/{path.name} is not readable.", mend="Make it readable for the worker's user, as UTF-8 text."
        ) from None

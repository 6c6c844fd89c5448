"""A signed receipt of what somebody agreed to, for their export: each step with its time, the hash of the words shown
and the version of the privacy policy. It names nobody. Worker only: it has the key.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from troth.core import clock, receipts
from troth.core.holdings import Part, Value
from troth.vault import signing_keys

_FIELDS = ("step", "at", "sha256_of_the_sentence", "policy_version", "topics")
"""Of a step in the consent history. Not from which file an import came: that is told beside it."""


def parts(exported: Sequence[Part]) -> list[Part]:
    """Return the receipt of the consent history that is among these parts of an export; nothing where there is none."""
    steps = [_step(item) for part in exported if part.name == "consent" for item in part.items]
    if not steps:
        return []
    site = settings.TROTH_CONFIG.site
    statement = {
        "site": {"name": site.name, "url": site.url},
        "made_at": clock.now().isoformat(timespec="seconds"),
        "steps": steps,
    }
    receipt = signing_keys.sign_receipt(statement, receipts.CONSENT)
    return [Part("consent_receipt", "Signed receipt of your consent", ({"receipt": receipt},))]


def _step(item: dict[str, Value]) -> dict[str, str | int]:
    values = {name: item.get(name) for name in _FIELDS}
    step: dict[str, str | int] = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            step[name] = value.isoformat(timespec="milliseconds")
        elif isinstance(value, str | int):
            step[name] = value
    return step

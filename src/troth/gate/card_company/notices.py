"""The card company's notices: their signature is checked on both sides of the time window, and only the event's id,
type, time, object id and payment are kept. Stripe's own client takes a signature from the future; this does not.
"""

import hashlib
import hmac
import json
import re

from troth.gate.card_company.errors import Refused
from troth.gate.card_company.stripe_objects import payment_in
from troth.gate.card_company.types import Event

WINDOW_SECONDS = 300
_LARGEST = 1 << 20
_TIME = re.compile(r"t=(\d{1,12})")
_CODE = re.compile(r"v1=([0-9a-f]{64})")


def read_notice(body: bytes, signature: str, secrets: tuple[str, ...], now: int) -> Event:
    """Return the event that a notice tells of. Raises `Refused`. `secrets`: the present one, and while it is changed,
    the earlier one. `now`: when the notice came in, in seconds."""
    parts = signature.split(",")
    times = [int(fits[1]) for part in parts if (fits := _TIME.fullmatch(part))]
    codes = [fits[1] for part in parts if (fits := _CODE.fullmatch(part))]
    if len(times) != 1 or not codes or len(body) > _LARGEST:
        raise Refused("The notice has no signature.", "no_signature")
    expected = [
        hmac.new(secret.encode(), f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets
    ]
    if not any([hmac.compare_digest(code, right) for code in codes for right in expected]):
        raise Refused("The notice is not signed by the card company.", "wrong_signature")
    if abs(now - times[0]) > WINDOW_SECONDS:
        raise Refused("The notice was signed at another time.", "wrong_time")
    return _event(body)


def _event(body: bytes) -> Event:
    try:
        event = json.loads(body)
        about = event["data"]["object"]
        values = (event["id"], event["type"], event["created"], about.get("id", ""), payment_in(about))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("The notice cannot be read.", "unreadable") from None
    if event.get("object") != "event" or [type(value) for value in values] != [str, str, int, str, str]:
        raise Refused("The notice cannot be read.", "unreadable")
    return Event(*values)

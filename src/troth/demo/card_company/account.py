"""One account at the stand-in: its clock, its objects, and the events that tell of each change."""

import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from troth.demo.card_company.errors import no_such
from troth.demo.card_company.storage import Object, Storage

API_VERSION = "2026-10-28.endive"
"""The only version of the API that is answered."""
EVENTS_KEPT_SECONDS = 30 * 86400
_LETTERS = string.ascii_letters + string.digits
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_id(prefix: str, length: int = 24) -> str:
    """Return an id that nobody has."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def new_code(length: int = 8) -> str:
    """Return a code that people can read and type."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Cause:
    """The call that caused a change, as its events name it; both None where time did."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Account:
    """What calls, pages and timers work on."""

    def __init__(self, storage: Storage, cause: Cause | None = None) -> None:
        self.storage, self.cause = storage, cause or Cause()
        self.told: Callable[[Account, Object], None] = lambda account, event: None
        """Is told each event, in the transaction that it belongs to."""

    @property
    def id(self) -> str:
        """The account's own id."""
        return self.storage.setting("account")

    @property
    def address(self) -> str:
        """Where the hosted pages are."""
        return self.storage.setting("address")

    def now(self) -> int:
        """Return the time of this account in seconds: the machine's, and what tests moved it by."""
        return int(time.time()) + int(self.storage.setting("ahead", "0"))

    def add(self, body: Object, private: Object | None = None) -> Object:
        """Add an object; return it."""
        self.storage.add(body, int(body.get("created", self.now())), private or {})
        return body

    def save(self, body: Object) -> Object:
        """Write an object that exists; return it."""
        self.storage.save(body)
        return body

    def get(self, kind: str, identifier: str, param: str = "id") -> Object:
        """Return an object. Raises `ApiError` if there is none."""
        body = self.storage.load(kind, identifier)
        if body is None:
            raise no_such(kind, identifier, param)
        return body

    def private(self, body: Object) -> Object:
        """Return what the API does not show of an object."""
        return self.storage.private(body["id"])

    def set_private(self, body: Object, **values: Any) -> None:
        """Change some of what the API does not show of an object."""
        self.storage.save_private(body["id"], {**self.storage.private(body["id"]), **values})

    def later(self, seconds: int, kind: str, subject: Object) -> None:
        """Let something happen to an object by this account's clock."""
        values = (self.now() + seconds, kind, subject["id"])
        self.storage.run("INSERT INTO timers (due, kind, subject) VALUES (?, ?, ?)", *values)

    def emit(self, kind: str, body: Object, previous: Object | None = None) -> Object:
        """Record an event about this state of an object; return the event."""
        data: Object = {"object": body}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": new_id("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.cause.request_id, "idempotency_key": self.cause.idempotency_key},
            "type": kind,
        }
        self.add(event)
        self.told(self, event)
        return event

    def change(self, body: Object, kind: str, **values: Any) -> Object:
        """Change an object and record the event, with the values before it; return the object."""
        previous = {name: body.get(name) for name, value in values.items() if body.get(name) != value}
        body.update(values)
        self.save(body)
        self.emit(kind, body, previous)
        return body

"""Events and the webhook endpoints that are told of them: which, signed how, tried again when.

A notice that is not answered by 2xx is tried again by the timetable below, by the account's clock. The signature
carries the machine's own time, because the receiver compares it with that.
"""

import hashlib
import hmac
import http.client
import json
import time
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company import faults
from troth.demo.card_company.account import API_VERSION, EVENTS_KEPT_SECONDS, Account, new_id
from troth.demo.card_company.errors import invalid, no_such
from troth.demo.card_company.faults import NoticeFault
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import (
    ListParameters,
    Metadata,
    PageParameters,
    Parameters,
    Text,
    Unsettable,
    changes,
    merged,
)
from troth.demo.card_company.storage import Object

RETRY_SECONDS = (60, 300, 1800, 7200, 18000, 36000, 36000, 36000, 36000, 36000, 36000)
"""How long after each failed attempt the next one is made: about three days in all."""
_PATIENCE_SECONDS = 10
_HELD_SECONDS = 3600
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class EndpointCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    enabled_events: Annotated[list[Text], Meta(min_length=1)]
    url: Text
    api_version: Text | UnsetType = UNSET
    description: Unsettable | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class EndpointUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    description: Unsettable | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    enabled_events: list[Text] | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    url: Text | UnsetType = UNSET


class EventList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    type: str | UnsetType = UNSET
    types: list[str] | UnsetType = UNSET


def _on_this_machine(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _THIS_MACHINE:
        raise invalid("url", "Invalid URL: the stand-in only tells endpoints at http://localhost.", "url_invalid")
    return url


def create_endpoint(account: Account, params: EndpointCreate) -> Object:
    """Add an endpoint. Only this answer shows its secret."""
    if params.api_version not in (UNSET, API_VERSION):
        raise invalid("api_version", "Invalid Stripe API version.")
    endpoint: Object = {
        "id": new_id("we_1"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": account.now(),
        "description": None,
        "enabled_events": params.enabled_events,
        "livemode": False,
        "metadata": merged({}, params.metadata),
        "status": "enabled",
        "url": _on_this_machine(params.url),
    }
    secret = new_id("whsec_", 32)
    account.add(endpoint | changes(params, "description"), {"secret": secret})
    return endpoint | changes(params, "description") | {"secret": secret}


def update_endpoint(account: Account, identifier: str, params: EndpointUpdate) -> Object:
    """Change an endpoint."""
    endpoint = account.get("webhook_endpoint", identifier)
    values = changes(params, "description", "enabled_events", "url")
    if "url" in values:
        _on_this_machine(values["url"])
    if isinstance(params.disabled, bool):
        values["status"] = "disabled" if params.disabled else "enabled"
    return account.save(endpoint | values | {"metadata": merged(endpoint["metadata"], params.metadata)})


def delete_endpoint(account: Account, identifier: str, params: Parameters) -> Object:
    """Delete an endpoint, and what it was still to be told."""
    account.get("webhook_endpoint", identifier)
    account.storage.run("DELETE FROM deliveries WHERE endpoint = ?", identifier)
    account.storage.run("DELETE FROM objects WHERE id = ?", identifier)
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


def list_endpoints(account: Account, params: PageParameters) -> Object:
    """List endpoints."""
    return listed(account, "webhook_endpoint", "/v1/webhook_endpoints", params)


def list_events(account: Account, params: EventList) -> Object:
    """List the events of the last 30 days."""
    kept = ("created > ?", account.now() - EVENTS_KEPT_SECONDS)
    page = listed(account, "event", "/v1/events", params, kept)
    return page | {"data": [_with_pending(account, event) for event in page["data"]]}


def retrieve_event(account: Account, identifier: str, params: Parameters) -> Object:
    """Return an event of the last 30 days."""
    event = account.get("event", identifier)
    if event["created"] <= account.now() - EVENTS_KEPT_SECONDS:
        raise no_such("event", identifier)
    return _with_pending(account, event)


def _with_pending(account: Account, event: Object) -> Object:
    statement = "SELECT count(*) FROM deliveries WHERE event = ? AND state <> 'done'"
    return event | {"pending_webhooks": account.storage.rows(statement, event["id"])[0][0]}


def tell(account: Account, event: Object) -> None:
    """Note down who is to be told of an event, and what goes wrong with it if a test wants that."""
    endpoints = account.storage.select(
        "webhook_endpoint", [("json_extract(body, '$.status') = ?", "enabled")], "ASC", 100
    )
    for endpoint in endpoints:
        if not {"*", event["type"]} & set(endpoint["enabled_events"]):
            continue
        fault = faults.of_notice(account, event["type"])
        for _ in range(2 if fault and fault.kind == "duplicate" else 1):
            _note(account, event, endpoint, fault)


def _note(account: Account, event: Object, endpoint: Object, fault: NoticeFault | None) -> None:
    kind = fault.kind if fault else ""
    state = {"drop": "dropped", "reorder": "held"}.get(kind, "pending")
    delay = _HELD_SECONDS if kind == "reorder" else fault.seconds if fault and kind == "delay" else 0
    spoilt = (
        json.dumps({"kind": kind, "seconds": fault.seconds})
        if fault and kind in ("forge", "misdate", "truncate")
        else ""
    )
    values = (event["id"], endpoint["id"], account.now() + delay, state, spoilt)
    account.storage.run("INSERT INTO deliveries (event, endpoint, due, state, fault) VALUES (?, ?, ?, ?, ?)", *values)


def send_due(account: Account) -> int:
    """Send every notice that is due, in order; return how many were tried."""
    statement = (
        "SELECT number, event, endpoint, attempts, fault FROM deliveries WHERE state IN ('pending', 'held')"
        " AND due <= ? ORDER BY due, number LIMIT 1"
    )
    tried = 0
    while rows := account.storage.rows(statement, account.now()):
        number, event, endpoint, attempts, fault = rows[0]
        status = _send(account, event, account.get("webhook_endpoint", endpoint), json.loads(fault or "{}"))
        with account.storage.transaction():
            _record(account, number, endpoint, attempts, status)
        tried += 1
    return tried


def _record(account: Account, number: int, endpoint: str, attempts: int, status: int) -> None:
    good = 200 <= status < 300
    later = RETRY_SECONDS[attempts] if attempts < len(RETRY_SECONDS) else None
    state = "done" if good else "failed" if later is None else "pending"
    statement = "UPDATE deliveries SET state = ?, attempts = attempts + 1, status = ?, due = ? WHERE number = ?"
    account.storage.run(statement, state, status, account.now() + (later or 0), number)
    if good:  # what was held back to come after another one may go now
        account.storage.run(
            "UPDATE deliveries SET state = 'pending', due = ? WHERE state = 'held' AND endpoint = ?",
            account.now(),
            endpoint,
        )


def signed(payload: str, secret: str, at: int) -> str:
    """Return the header `Stripe-Signature`: HMAC-SHA256 over the time, a dot and the body."""
    code = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={code}"


def _send(account: Account, event: str, endpoint: Object, fault: Object) -> int:
    """Send a notice; return the status, or 0 if there was no answer."""
    payload = json.dumps(_with_pending(account, account.get("event", event)), indent=2)
    kind = fault.get("kind")
    secret = "whsec_" + "0" * 32 if kind == "forge" else account.private(endpoint)["secret"]
    at = int(time.time()) + (fault["seconds"] if kind == "misdate" else 0)
    header = signed(payload, secret, at)
    url = urlsplit(endpoint["url"])
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=_PATIENCE_SECONDS)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": header,
        "User-Agent": "Stripe/1.0",
    }
    try:
        body = payload[: len(payload) // 2] if kind == "truncate" else payload
        connection.request("POST", url.path + (f"?{url.query}" if url.query else ""), body.encode(), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()

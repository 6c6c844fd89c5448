"""Answers one request to the API: key, version, permission, idempotency, parameters, and a fault that was ordered."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.demo.card_company import faults, idempotency
from troth.demo.card_company.account import API_VERSION, Account, Cause, new_id
from troth.demo.card_company.calls import Route, matching
from troth.demo.card_company.errors import ApiError
from troth.demo.card_company.faults import AnswerFault
from troth.demo.card_company.listing import expanded
from troth.demo.card_company.parameters import parsed
from troth.demo.card_company.storage import Storage
from troth.demo.card_company.webhooks import tell


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    encoded: str
    """The query of GET and DELETE, the body of POST."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


class ConnectionLost(Exception):
    """The connection is to be closed without an answer."""


def _account(storage: Storage, request: Request, request_id: str) -> Account:
    account = Account(storage, Cause(request_id, request.headers.get("Idempotency-Key")))
    account.told = tell
    return account


def answer(storage: Storage, request: Request) -> Answer:
    """Answer a request. Raises `ConnectionLost` where a fault wants it."""
    request_id = new_id("req_", 14)
    account = _account(storage, request, request_id)
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
    try:
        result = _checked(account, request)
    except ApiError as error:
        return Answer(error.status, json.dumps(error.body(request_id), indent=2), headers | error.headers)
    return Answer(result.status, result.body, headers | result.headers)


def _checked(account: Account, request: Request) -> Answer:
    permissions = _permissions(account, request.headers.get("Authorization", ""))
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise ApiError(f"Invalid Stripe API version: {version}. The stand-in has {API_VERSION} only.")
    match = matching(request.method, request.path)
    if match is None:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        raise ApiError(message, status=404)
    route, identifiers = match
    _permit(account, route, permissions, request.headers.get("Authorization", ""))
    fault = _begin_fault(account, f"{request.method} {request.path}")
    result = _remembered(account, request, route, identifiers, fault)
    return _end_fault(fault, result)


def _permissions(account: Account, authorization: str) -> list[str]:
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key:
        raise ApiError("You did not provide an API key.", status=401)
    rows = account.storage.rows("SELECT permissions FROM keys WHERE key = ?", key)
    if not rows:
        raise ApiError(f"Invalid API Key provided: {masked(key)}", status=401)
    return list(json.loads(rows[0][0]))


def masked(key: str) -> str:
    """Return a key as errors show it."""
    return f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}" if len(key) > 12 else "****"


def _permit(account: Account, route: Route, permissions: list[str], authorization: str) -> None:
    needed = route.permission
    if "*" in permissions or needed in permissions or f"{route.resource}_write" in permissions:
        return
    raise ApiError(
        f"The provided key '{masked(authorization.partition(' ')[2])}' does not have the required permissions for this"
        f" endpoint on account '{account.id}'. Having the 'rak_{needed}' permission would allow this request to"
        " continue.",
        status=403,
    )


def _begin_fault(account: Account, call: str) -> AnswerFault | None:
    with account.storage.transaction():
        fault = faults.of_answer(account, call)
    if fault is None:
        return None
    if fault.kind == "refused":
        raise ConnectionLost
    if fault.kind == "rate_limit":
        headers = {"Retry-After": str(int(fault.seconds))}
        raise ApiError("Request rate limit exceeded.", status=429, code="rate_limit", headers=headers)
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    return fault


def _remembered(
    account: Account, request: Request, route: Route, identifiers: tuple[str, ...], fault: AnswerFault | None
) -> Answer:
    """Do what was asked, or repeat the answer that the idempotency key already has."""
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    fingerprint = hashlib.sha256(f"{request.path}?{request.encoded}".encode()).digest()
    if key is not None:
        with account.storage.transaction():
            before = idempotency.begin(account, key, request.path, fingerprint)
        if before:
            return Answer(*before, {"Idempotent-Replayed": "true", "Idempotency-Key": key})
    try:
        with account.storage.transaction():
            result = _done(account, request, route, identifiers)
            if fault and fault.kind == "error_after":
                result = _broken(account)
            if key is not None:
                idempotency.keep(account, key, result.status, result.body)
    except ApiError as error:
        if key is not None:
            with account.storage.transaction():
                _remember_error(account, key, error)
        raise
    except BaseException:
        if key is not None:
            idempotency.forget(account, key)
        raise
    return Answer(result.status, result.body, result.headers | ({"Idempotency-Key": key} if key else {}))


def _remember_error(account: Account, key: str, error: ApiError) -> None:
    if error.remembered:
        body = json.dumps(error.body(account.cause.request_id or ""), indent=2)
        idempotency.keep(account, key, error.status, body)
    else:
        idempotency.forget(account, key)


def _done(account: Account, request: Request, route: Route, identifiers: tuple[str, ...]) -> Answer:
    params = parsed(request.encoded, route.parameters)
    try:
        body = route.answer(account, *identifiers, params)
    except ApiError as error:
        if error.status == 402:  # a card that was declined leaves a charge and events behind
            return Answer(402, json.dumps(error.body(account.cause.request_id or ""), indent=2))
        raise
    return Answer(200, json.dumps(expanded(account, body, params.expand), indent=2))


def _broken(account: Account) -> Answer:
    error = ApiError("An unknown error occurred.", status=500, type="api_error")
    return Answer(500, json.dumps(error.body(account.cause.request_id or "")), {"Stripe-Should-Retry": "false"})


def _end_fault(fault: AnswerFault | None, result: Answer) -> Answer:
    """Spoil an answer after what was asked has been done."""
    kind = fault.kind if fault else ""
    if kind == "lost_answer":
        raise ConnectionLost
    if kind == "bad_gateway":
        return Answer(502, "<html><title>502 Bad Gateway</title></html>", {"Content-Type": "text/html"})
    if fault and kind == "nonsense":
        return Answer(200, fault.body, {"Content-Type": "text/html"})
    return result

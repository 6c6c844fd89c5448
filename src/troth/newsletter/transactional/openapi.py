"""Describes `POST /api/mail` and `GET /api/mail/ID` for the OpenAPI document, from the types that read requests and
write answers. Sources: OpenAPI Specification 3.1.1; draft-ietf-httpapi-idempotency-key-header for `Idempotency-Key`."""

from typing import Any

import msgspec

from troth.audience.api.openapi import Description, errors, reference, security
from troth.audience.api.tokens import Scope
from troth.core.personal import EmailAddress, MessageText
from troth.newsletter.transactional.api import EXAMPLE, KEY, LARGEST, PATH
from troth.newsletter.transactional.orders import LONGEST_VALUE, MOST_A_DAY, MOST_HELD, Order, Taken

_TAKEN = {"id": "0199a3f0-5c1e-7a52-9d3c-2f7b8f1c4711", "state": "queued"}
_PERSONAL: dict[type, dict[str, Any]] = {
    EmailAddress: {"type": "string", "format": "email"},
    MessageText: {"type": "string", "maxLength": LONGEST_VALUE, "description": "Text on one line, without HTML."},
}
_ERRORS = {
    401: "The token is missing or not valid.",
    403: "The token is for something else.",
    405: "The method is not allowed here.",
    429: "Too many requests; `Retry-After` says how long to wait.",
    503: "The database is not available; `Retry-After` says how long to wait.",
}
_POST_ERRORS = _ERRORS | {
    400: "The request does not have the fields it needs.",
    404: "No email can be sent to this recipient.",
    413: f"The request is larger than {LARGEST // 1024} KiB.",
    415: "The request is not JSON.",
    422: "The template, the recipient, a data field or the idempotency key is not valid; `parameter` says which.",
    429: f"Too many requests; or {MOST_A_DAY} emails to this recipient within a day; or {MOST_HELD} emails of this "
    "token wait for review. `Retry-After` says how long to wait.",
}
_GET_ERRORS = _ERRORS | {404: "This token sent no such email, or more than 30 days ago."}


def description() -> Description:
    """Return the description of both operations."""
    _, schemas = msgspec.json.schema_components(
        [Order, Taken], schema_hook=_PERSONAL.__getitem__, ref_template="#/components/schemas/{name}"
    )
    return Description({PATH: {"post": _post()}, f"{PATH}/{{id}}": {"get": _get()}}, schemas)


def _post() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key and request within 30 days are one email. Without personal data.",
        "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
        "example": "order-4711",
    }
    return {
        "operationId": "send_mail",
        "summary": "Send one email, from a template, to one person whom you know",
        "security": security(Scope.MAIL),
        "parameters": [key],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference(Order), "example": EXAMPLE}},
        },
        "responses": {"202": _accepted(), **errors(_POST_ERRORS)},
    }


def _accepted() -> dict[str, Any]:
    state = {"operationId": "mail_state", "parameters": {"id": "$response.body#/id"}}
    return {
        "description": "The email is queued.",
        "headers": {"Location": {"description": "Where its state is.", "schema": {"type": "string", "format": "uri"}}},
        "content": {"application/json": {"schema": reference(Taken), "example": _TAKEN}},
        "links": {"state": state},
    }


def _get() -> dict[str, Any]:
    ident = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    answer = {"application/json": {"schema": reference(Taken), "example": _TAKEN | {"state": "sent"}}}
    return {
        "operationId": "mail_state",
        "summary": "How far an email is",
        "security": security(Scope.MAIL),
        "parameters": [ident | {"example": _TAKEN["id"]}],
        "responses": {"200": {"description": "How far it is.", "content": answer}, **errors(_GET_ERRORS)},
    }

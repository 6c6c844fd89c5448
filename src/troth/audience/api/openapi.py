"""The OpenAPI 3.1 document of the statistics' API, made from the same types that read parameters and write answers.

Touches nothing. Source: OpenAPI Specification 3.1.1; RFC 9457 for what a refusal says.
"""

from typing import Any

import msgspec

from troth.audience.api.endpoints import BASE, ENDPOINTS, Endpoint


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer (RFC 9457). `type` is `about:blank`: the status says what kind of trouble it is."""

    title: str
    """The status in words."""
    status: int
    detail: str
    """What is wrong, never with a value of yours in it."""
    mend: str = ""
    """What to do about it."""
    parameter: str = ""
    """Which parameter is at fault."""


_REFUSALS = {
    400: "A parameter is not as it should be.",
    401: "No token, or one that does not work.",
    404: "There is nothing at this address.",
    405: "Statistics are read only.",
    422: "There is no such question: the two are not counted together, or the days make no period.",
    429: "Too many questions in a short time; `Retry-After` says how long to wait.",
    503: "The database does not answer just now; `Retry-After` says how long to wait.",
}


def document(site_name: str, url: str) -> dict[str, Any]:
    """The whole document, for an office at `url`."""
    types = [*{endpoint.answer: None for endpoint in ENDPOINTS}, Problem]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Visitor statistics of {site_name}",
            "version": "1",
            "description": "Sums about nobody: no answer has a field that could hold a person.",
        },
        "servers": [{"url": url}],
        "security": [{"token": []}],
        "paths": {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token from the office, in the header Authorization and nowhere else.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": {
                "application/json": {"schema": {"$ref": f"#/components/schemas/{endpoint.answer.__name__}"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "304": {"description": "The answer is the one of `If-None-Match`."},
    }
    for status, words in _REFUSALS.items():
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": words, "content": problem}
    return {
        "operationId": endpoint.path.removeprefix(f"{BASE}/").partition("/{")[0].replace("/", "_").replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "responses": responses,
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Each field of the query's type, with the schema that it is read by."""
    (_,), components = msgspec.json.schema_components([endpoint.query], ref_template="{name}")
    made = []
    for name, schema in components[endpoint.query.__name__]["properties"].items():
        placed = name == endpoint.placed
        plain, about = _plain(schema, components)
        made.append(
            {
                "name": name,
                "in": "path" if placed else "query",
                "required": placed,
                "description": about,
                "schema": plain,
            }
        )
    return made


def _plain(schema: dict[str, Any], components: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A parameter's schema without references, and its description."""
    held = dict(schema)
    for part in held.pop("allOf", []):
        held |= part
    if "$ref" in held:
        held |= components[held.pop("$ref")]
    about = held.pop("description", "")
    held.pop("title", None)
    return held, schema.get("description", about)

"""Generates the API's OpenAPI 3.1 document from the types that read parameters and write answers. Sources: OpenAPI
Specification 3.1.1; RFC 9457 for errors."""

from typing import Any

import msgspec

from troth.audience.api.endpoints import BASE, ENDPOINTS, Endpoint
from troth.audience.api.requests import Problem

_ERRORS = {
    400: "A parameter is not valid.",
    401: "The token is missing or not valid.",
    403: "The token is for something else.",
    404: "There is no such endpoint.",
    405: "The API is read-only.",
    422: "The query cannot be answered: the two dimensions are not counted together, or the period is not valid.",
    429: "Too many requests; `Retry-After` says how long to wait.",
    503: "The database is not available; `Retry-After` says how long to wait.",
}


def document(site_name: str, url: str) -> dict[str, Any]:
    """Return the document for an admin server at `url`."""
    types = [*{endpoint.answer: None for endpoint in ENDPOINTS}, Problem]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Visitor statistics of {site_name}",
            "version": "1",
            "description": "Totals only: no answer has a field for personal data.",
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
                    "description": "An API token from Admin, in the Authorization header and nowhere else.",
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
        "304": {"description": "Not modified: the answer still matches `If-None-Match`."},
    }
    for status, words in _ERRORS.items():
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": words, "content": problem}
    return {
        "operationId": endpoint.path.removeprefix(f"{BASE}/").partition("/{")[0].replace("/", "_").replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "responses": responses,
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return each field of the query's type with its schema."""
    (_,), components = msgspec.json.schema_components([endpoint.parameters], ref_template="{name}")
    parameters = []
    for name, schema in components[endpoint.parameters.__name__]["properties"].items():
        in_path = name == endpoint.path_parameter
        plain, about = _plain(schema, components)
        parameters.append(
            {
                "name": name,
                "in": "path" if in_path else "query",
                "required": in_path,
                "description": about,
                "schema": plain,
            }
        )
    return parameters


def _plain(schema: dict[str, Any], components: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return a parameter's schema without references, and its description."""
    merged = dict(schema)
    for part in merged.pop("allOf", []):
        merged |= part
    if "$ref" in merged:
        merged |= components[merged.pop("$ref")]
    about = merged.pop("description", "")
    merged.pop("title", None)
    return merged, schema.get("description", about)

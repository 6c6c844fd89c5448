"""Generates the APIs' OpenAPI 3.1 document from the types that read parameters and write answers. The statistics are
described here; each other API describes itself, and the office puts them together. Sources: OpenAPI Specification
3.1.1; RFC 9457 for errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from troth.audience.api.endpoints import BASE, ENDPOINTS, Endpoint
from troth.audience.api.requests import RequestProblem
from troth.audience.api.tokens import Scope

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


@dataclass(frozen=True, slots=True)
class Description:
    """What an API says of itself."""

    paths: Mapping[str, Mapping[str, Any]]
    """Path Item Objects, by path."""
    schemas: Mapping[str, Any]
    """Schema Objects, by name."""


def document(site_name: str, url: str, others: Sequence[Description] = ()) -> dict[str, Any]:
    """Return the document of the statistics and the `others`, for an admin server at `url`."""
    descriptions = (_statistics(), *others)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"APIs of {site_name}",
            "version": "1",
            "description": "Statistics are totals only: no answer of theirs has a field for personal data.",
        },
        "servers": [{"url": url}],
        "paths": {path: item for each in descriptions for path, item in each.paths.items()},
        "components": {
            "schemas": {name: schema for each in descriptions for name, schema in each.schemas.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token from Admin, in the Authorization header and nowhere else.",
                }
            },
        },
    }


def reference(kind: type) -> dict[str, str]:
    """Return the Reference Object of a type that is among the schemas."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def security(scope: Scope) -> list[dict[str, list[str]]]:
    """Return the Security Requirement Objects of an operation whose token has this scope."""
    return [{"token": [scope.value]}]


def errors(descriptions: Mapping[int, str]) -> dict[str, Any]:
    """Return the Response Objects of errors, from what each status means."""
    content = {"application/problem+json": {"schema": reference(RequestProblem)}}
    return {str(status): {"description": words, "content": content} for status, words in descriptions.items()}


def _statistics() -> Description:
    types = [*{endpoint.answer: None for endpoint in ENDPOINTS}, RequestProblem]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return Description({endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS}, schemas)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": {
                "application/json": {"schema": reference(endpoint.answer)},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "304": {"description": "Not modified: the answer still matches `If-None-Match`."},
    }
    return {
        "operationId": endpoint.path.removeprefix(f"{BASE}/").partition("/{")[0].replace("/", "_").replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "security": security(Scope.STATISTICS),
        "responses": responses | errors(_ERRORS),
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

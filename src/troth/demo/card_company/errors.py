"""Errors as the card company answers them: an HTTP status and an object with `type`, `code`, `message` and `param`."""

from dataclasses import dataclass, field
from typing import Any, Literal

type ErrorType = Literal["invalid_request_error", "card_error", "idempotency_error", "api_error"]


@dataclass
class ApiError(Exception):
    """An answer that is an error."""

    message: str
    status: int = 400
    type: ErrorType = "invalid_request_error"
    code: str = ""
    param: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    remembered: bool = True
    """Whether an idempotency key remembers this answer: only what failed before the call began is not remembered."""

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the object to answer with."""
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code:
            error |= {
                "code": self.code,
                "doc_url": f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}",
            }
        if self.param:
            error["param"] = self.param
        return {
            "error": error | self.more | {"request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}
        }


def no_such(kind: str, identifier: str, param: str = "id") -> ApiError:
    """Return the error for an id that names no object: 404, or 400 where it is a parameter of a call."""
    name = kind.rpartition(".")[2].replace("_", " ")
    status = 404 if param == "id" else 400
    return ApiError(f"No such {name}: '{identifier}'", status=status, code="resource_missing", param=param)


def invalid(param: str, message: str, code: str = "parameter_invalid") -> ApiError:
    """Return the error for a parameter that cannot be accepted."""
    return ApiError(message, code=code, param=param)

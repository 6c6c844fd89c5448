"""Faults on demand, for tests: what goes wrong with the next answers of the API, and with the next notices."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from troth.demo.card_company.account import Account


class AnswerFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="of", tag="answer"):
    """What goes wrong with answers."""

    kind: Literal["error_after", "bad_gateway", "lost_answer", "refused", "rate_limit", "slow", "nonsense"]
    """`error_after`: done, then 500, which the idempotency key remembers; `bad_gateway`: done, then 502, which it does
    not; `lost_answer`: done, then the connection is closed; `refused`: closed and not done; `rate_limit`: 429 with
    Retry-After; `slow`: after so many seconds; `nonsense`: done, then 200 with another body."""
    call: str = ""
    """`POST /v1/refunds`: the beginning of method and path; empty for all."""
    times: Annotated[int, Meta(ge=1)] = 1
    seconds: Annotated[float, Meta(ge=0, le=600)] = 1
    body: str = "<!doctype html><title>Maintenance</title>"


class NoticeFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="of", tag="notice"):
    """What goes wrong with notices."""

    kind: Literal["duplicate", "reorder", "delay", "drop", "forge", "misdate", "truncate"]
    """`reorder`: after the next notice to the same endpoint; `delay`: by so many seconds of the account's clock;
    `misdate`: signed with a time that is so many seconds off; `forge`: signed with another secret."""
    event: str = ""
    """The event's type; empty for all."""
    times: Annotated[int, Meta(ge=1)] = 1
    seconds: int = 60


def order(account: Account, fault: AnswerFault | NoticeFault) -> None:
    """Let this go wrong so many times."""
    account.storage.run(
        "INSERT INTO faults (body, times) VALUES (?, ?)", msgspec.json.encode(fault).decode(), fault.times
    )


def clear(account: Account) -> None:
    """Let nothing go wrong any more."""
    account.storage.run("DELETE FROM faults")


def _next(account: Account, of: str, value: str) -> AnswerFault | NoticeFault | None:
    for number, body in account.storage.rows("SELECT number, body FROM faults WHERE times > 0 ORDER BY number"):
        fault: AnswerFault | NoticeFault = msgspec.json.decode(body, type=AnswerFault | NoticeFault)
        fits = value.startswith(fault.call) if isinstance(fault, AnswerFault) else fault.event in ("", value)
        if fits and isinstance(fault, AnswerFault) == (of == "answer"):
            account.storage.run("UPDATE faults SET times = times - 1 WHERE number = ?", number)
            return fault
    return None


def of_answer(account: Account, call: str) -> AnswerFault | None:
    """Return what goes wrong with the answer to this call, and count it."""
    fault = _next(account, "answer", call)
    return fault if isinstance(fault, AnswerFault) else None


def of_notice(account: Account, event: str) -> NoticeFault | None:
    """Return what goes wrong with the notice of an event of this type, and count it."""
    fault = _next(account, "notice", event)
    return fault if isinstance(fault, NoticeFault) else None

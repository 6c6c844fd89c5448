"""Lists by pages, newest first, and the fields that a caller asks to have expanded."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from troth.demo.card_company.account import Account
from troth.demo.card_company.errors import invalid
from troth.demo.card_company.parameters import ListParameters, PageParameters, Range
from troth.demo.card_company.storage import Object

EXPANDABLE = {
    "charge": {
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "payment_intent": "payment_intent",
    },
    "checkout.session": {"customer": "customer", "payment_intent": "payment_intent", "payment_link": "payment_link"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_intent": {"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    "price": {"product": "product"},
    "product": {"default_price": "price"},
    "refund": {"balance_transaction": "balance_transaction", "charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {"source": "charge"},
    "promotion": {"coupon": "coupon"},
}
"""Which fields hold an id that can be expanded, and of which kind of object."""
_DEEPEST = 4


def listed(account: Account, kind: str, url: str, params: PageParameters, *conditions: tuple[str, Any]) -> Object:
    """Return a page of objects of a kind. Filters are the parameters that are fields of the object."""
    where = [*conditions, *_filters(params), *_created(params)]
    backwards = isinstance(params.ending_before, str)
    for param, sign in (("starting_after", "<"), ("ending_before", ">")):
        cursor = getattr(params, param)
        if isinstance(cursor, str):
            number = account.storage.number(account.get(kind, cursor, param)["id"])
            where.append((f"number {sign} ?", number))
    rows = account.storage.select(kind, where, "ASC" if backwards else "DESC", params.limit + 1)
    page = rows[: params.limit]
    data = page[::-1] if backwards else page
    return {"object": "list", "data": data, "has_more": len(rows) > params.limit, "url": url}


def page_of(data: Sequence[Object], url: str) -> Object:
    """Return a list that has one page."""
    return {"object": "list", "data": list(data), "has_more": False, "url": url}


def _filters(params: PageParameters) -> list[tuple[str, Any]]:
    """Return a condition for each parameter that a list of this kind has beyond those that all have."""
    own = set(params.__struct_fields__) - set(ListParameters.__struct_fields__)
    where: list[tuple[str, Any]] = []
    for name, value in msgspec.to_builtins(params).items():
        if name not in own:
            continue
        field = {"lookup_keys": "lookup_key", "types": "type"}.get(name, name)
        if isinstance(value, list | tuple):
            # Names of fields are those of our own structs, never a caller's text.
            condition = f"json_extract(body, '$.{field}') IN (SELECT value FROM json_each(?))"  # noqa: S608
            where.append((condition, msgspec.json.encode(value).decode()))
        elif name == "type" and value.endswith("*"):
            where.append(("json_extract(body, '$.type') GLOB ?", value))
        else:
            where.append((f"json_extract(body, '$.{name}') = ?", value))
    return where


def _created(params: PageParameters) -> list[tuple[str, Any]]:
    created = params.created if isinstance(params, ListParameters) else UNSET
    if isinstance(created, int):
        return [("created = ?", created)]
    if not isinstance(created, Range):
        return []
    bounds = {">": created.gt, ">=": created.gte, "<": created.lt, "<=": created.lte}
    return [(f"created {sign} ?", bound) for sign, bound in bounds.items() if bound is not None]


def expanded(account: Account, body: Object, paths: Sequence[str]) -> Object:
    """Return the object with these fields expanded: `payment_intent.latest_charge`, `data.customer`."""
    for path in paths:
        names = path.split(".")
        if len(names) > _DEEPEST + (names[0] == "data"):
            raise invalid("expand", f"You cannot expand more than {_DEEPEST} levels of a property.")
        _expand(account, body, names, path)
    return body


def _expand(account: Account, body: Object, names: Sequence[str], path: str) -> None:
    name, rest = names[0], names[1:]
    if name == "data" and body.get("object") == "list":
        for part in body["data"]:
            _expand(account, part, rest, path)
        return
    kind = str(body.get("object", "promotion" if "coupon" in body else ""))
    special = INCLUDED.get((kind, name))
    if special:
        body[name] = special(account, body)
    elif name in EXPANDABLE.get(kind, {}):
        if isinstance(body[name], str):
            body[name] = account.storage.load(EXPANDABLE[kind][name], body[name])
    elif not isinstance(body.get(name), dict) or not rest:
        raise invalid("expand", f"This property cannot be expanded ({path}).", "parameter_invalid")
    if rest and isinstance(body.get(name), dict):
        _expand(account, body[name], rest, path)


INCLUDED: dict[tuple[str, str], Any] = {}
"""Fields that an object only has when they are asked for, and the function that returns them."""

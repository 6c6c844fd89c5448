"""Products and prices."""

import msgspec
from msgspec import UNSET, UnsetType

from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.currencies import check_amount, checked
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import (
    ListParameters,
    Metadata,
    Parameters,
    Text,
    Unsettable,
    Whole,
    changes,
    merged,
)
from troth.demo.card_company.storage import Object


class CurrencyOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a price is in another currency."""

    unit_amount: Whole
    tax_behavior: str = "unspecified"


class PriceData(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product's first price."""

    currency: str
    unit_amount: Whole
    tax_behavior: str = "unspecified"
    currency_options: dict[str, CurrencyOption] = msgspec.field(default_factory=dict)


class ProductCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    name: Text
    id: Text | UnsetType = UNSET
    active: bool = True
    description: Text | UnsetType = UNSET
    default_price_data: PriceData | UnsetType = UNSET
    images: tuple[str, ...] = ()
    metadata: Metadata | UnsetType = UNSET
    shippable: bool | UnsetType = UNSET
    statement_descriptor: Text | UnsetType = UNSET
    tax_code: Text | UnsetType = UNSET
    unit_label: Text | UnsetType = UNSET
    url: Text | UnsetType = UNSET


class ProductUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    name: Text | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    default_price: Text | UnsetType = UNSET
    description: Unsettable | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    tax_code: Unsettable | UnsetType = UNSET
    unit_label: Unsettable | UnsetType = UNSET
    url: Unsettable | UnsetType = UNSET


class ProductList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    url: str | UnsetType = UNSET


class PriceCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    product: Text
    currency: str
    unit_amount: Whole
    active: bool = True
    currency_options: dict[str, CurrencyOption] = msgspec.field(default_factory=dict)
    lookup_key: Text | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    nickname: Text | UnsetType = UNSET
    tax_behavior: str = "unspecified"
    transfer_lookup_key: bool = False


class PriceUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    currency_options: dict[str, CurrencyOption] | UnsetType = UNSET
    lookup_key: Unsettable | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    nickname: Unsettable | UnsetType = UNSET
    tax_behavior: str | UnsetType = UNSET
    transfer_lookup_key: bool = False


class PriceList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    lookup_keys: list[str] | UnsetType = UNSET
    product: str | UnsetType = UNSET
    type: str | UnsetType = UNSET


def create_product(account: Account, params: ProductCreate) -> Object:
    """Make a product, and its first price where there is one."""
    identifier = params.id if isinstance(params.id, str) else new_id("prod_", 14)
    if account.storage.load("product", identifier):
        raise ApiError(f"Product already exists: '{identifier}'", code="resource_already_exists", param="id")
    created = account.now()
    product: Object = {
        "id": identifier,
        "object": "product",
        "active": True,
        "created": created,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": None,
        "updated": created,
        "url": None,
    }
    product |= changes(params) | {"metadata": merged({}, params.metadata)}
    product.pop("default_price_data", None)
    account.add(product)
    account.emit("product.created", product)
    if isinstance(params.default_price_data, PriceData):
        first = msgspec.convert({**msgspec.to_builtins(params.default_price_data), "product": identifier}, PriceCreate)
        product["default_price"] = create_price(account, first)["id"]
        account.save(product)
    return product


def update_product(account: Account, identifier: str, params: ProductUpdate) -> Object:
    """Change a product."""
    product = account.get("product", identifier)
    if isinstance(params.default_price, str):
        account.get("price", params.default_price, "default_price")
    values = changes(params) | {"metadata": merged(product["metadata"], params.metadata), "updated": account.now()}
    return account.change(product, "product.updated", **values)


def delete_product(account: Account, identifier: str, params: Parameters) -> Object:
    """Delete a product that has no price."""
    product = account.get("product", identifier)
    if account.storage.select("price", [("json_extract(body, '$.product') = ?", identifier)], "ASC", 1):
        raise ApiError("This product cannot be deleted because it has one or more user-created prices.")
    account.storage.run("DELETE FROM objects WHERE id = ?", identifier)
    account.emit("product.deleted", product)
    return {"id": identifier, "object": "product", "deleted": True}


def list_products(account: Account, params: ProductList) -> Object:
    """List products."""
    return listed(account, "product", "/v1/products", params)


def _options(params: PriceCreate, currency: str) -> Object:
    every = {checked(name, f"currency_options[{name}]"): option for name, option in params.currency_options.items()}
    every[currency] = CurrencyOption(params.unit_amount, params.tax_behavior)
    return {
        name: {
            "custom_unit_amount": None,
            "tax_behavior": option.tax_behavior,
            "unit_amount": option.unit_amount,
            "unit_amount_decimal": str(option.unit_amount),
        }
        for name, option in every.items()
    }


def create_price(account: Account, params: PriceCreate) -> Object:
    """Make a price. Its amount never changes: sellers make another one."""
    account.get("product", params.product, "product")
    currency = checked(params.currency)
    if params.unit_amount:
        check_amount(params.unit_amount, currency, "unit_amount")
    lookup_key = params.lookup_key if isinstance(params.lookup_key, str) else None
    if lookup_key:
        _take_lookup_key(account, lookup_key, transfer=params.transfer_lookup_key)
    price: Object = {
        "id": new_id("price_1"),
        "object": "price",
        "active": params.active,
        "billing_scheme": "per_unit",
        "created": account.now(),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": lookup_key,
        "metadata": merged({}, params.metadata),
        "nickname": changes(params).get("nickname"),
        "product": params.product,
        "recurring": None,
        "tax_behavior": params.tax_behavior,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": params.unit_amount,
        "unit_amount_decimal": str(params.unit_amount),
    }
    account.add(price, {"currency_options": _options(params, currency)})
    account.emit("price.created", price)
    return price


def _take_lookup_key(account: Account, lookup_key: str, *, transfer: bool) -> None:
    condition = ("json_extract(body, '$.lookup_key') = ?", lookup_key)
    for price in account.storage.select("price", [condition], "ASC", 1):
        if not transfer:
            raise invalid("lookup_key", "A price already uses that lookup key.", "resource_already_exists")
        account.change(price, "price.updated", lookup_key=None)


def update_price(account: Account, identifier: str, params: PriceUpdate) -> Object:
    """Change what may change of a price."""
    price = account.get("price", identifier)
    values = changes(params, "active", "nickname", "tax_behavior", "lookup_key")
    if values.get("lookup_key") and values["lookup_key"] != price["lookup_key"]:
        _take_lookup_key(account, values["lookup_key"], transfer=params.transfer_lookup_key)
    if "tax_behavior" in values and price["tax_behavior"] not in ("unspecified", values["tax_behavior"]):
        raise invalid("tax_behavior", "You cannot change the tax_behavior once it is inclusive or exclusive.")
    if isinstance(params.currency_options, dict):
        more = {
            name: {
                **msgspec.to_builtins(option),
                "unit_amount_decimal": str(option.unit_amount),
                "custom_unit_amount": None,
            }
            for name, option in params.currency_options.items()
        }
        account.set_private(price, currency_options={**account.private(price)["currency_options"], **more})
    return account.change(price, "price.updated", **values, metadata=merged(price["metadata"], params.metadata))


def list_prices(account: Account, params: PriceList) -> Object:
    """List prices."""
    return listed(account, "price", "/v1/prices", params)

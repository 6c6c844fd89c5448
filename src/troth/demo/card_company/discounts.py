"""Coupons, and the promotion codes by which buyers use them."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company.account import Account, new_code, new_id
from troth.demo.card_company.currencies import checked
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import ListParameters, Metadata, Parameters, Text, Unsettable, changes, merged
from troth.demo.card_company.storage import Object


class CouponCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    id: Text | UnsetType = UNSET
    amount_off: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    duration: str = "once"
    max_redemptions: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    percent_off: Annotated[float, Meta(gt=0, le=100)] | UnsetType = UNSET
    redeem_by: int | UnsetType = UNSET


class CouponUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    metadata: Metadata | UnsetType = UNSET
    name: Unsettable | UnsetType = UNSET


class Promotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a promotion code stands for."""

    type: str
    coupon: str


class Restrictions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may use a promotion code."""

    first_time_transaction: bool = False
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None


class PromotionCodeCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    promotion: Promotion
    active: bool = True
    code: Text | UnsetType = UNSET
    expires_at: int | UnsetType = UNSET
    max_redemptions: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    restrictions: Restrictions = Restrictions()


class PromotionCodeUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class PromotionCodeList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    code: str | UnsetType = UNSET


def create_coupon(account: Account, params: CouponCreate) -> Object:
    """Make a coupon: a percentage, or an amount in a currency."""
    values = changes(params)
    if ("amount_off" in values) == ("percent_off" in values):
        raise invalid("percent_off", "You must pass either amount_off or percent_off.", "parameter_missing")
    if "amount_off" in values and "currency" not in values:
        raise invalid("currency", "You must pass currency when passing amount_off.", "parameter_missing")
    identifier = str(values.pop("id", new_code()))
    if account.storage.load("coupon", identifier):
        raise ApiError("Coupon already exists.", code="resource_already_exists", param="id")
    coupon: Object = {
        "id": identifier,
        "object": "coupon",
        "amount_off": None,
        "created": account.now(),
        "currency": None,
        "duration": params.duration,
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }
    coupon |= values | {"metadata": merged({}, params.metadata)}
    if coupon["currency"]:
        coupon["currency"] = checked(coupon["currency"])
    account.add(coupon)
    account.emit("coupon.created", coupon)
    return coupon


def update_coupon(account: Account, identifier: str, params: CouponUpdate) -> Object:
    """Change a coupon's name or metadata."""
    coupon = account.get("coupon", identifier)
    values = changes(params, "name") | {"metadata": merged(coupon["metadata"], params.metadata)}
    return account.change(coupon, "coupon.updated", **values)


def delete_coupon(account: Account, identifier: str, params: Parameters) -> Object:
    """Delete a coupon; discounts that were given stay."""
    coupon = account.get("coupon", identifier)
    account.storage.run("DELETE FROM objects WHERE id = ?", identifier)
    account.emit("coupon.deleted", coupon)
    return {"id": identifier, "object": "coupon", "deleted": True}


def list_coupons(account: Account, params: ListParameters) -> Object:
    """List coupons."""
    return listed(account, "coupon", "/v1/coupons", params)


def create_promotion_code(account: Account, params: PromotionCodeCreate) -> Object:
    """Make a code that buyers can type."""
    account.get("coupon", params.promotion.coupon, "promotion[coupon]")
    values = changes(params, "active", "expires_at", "max_redemptions")
    code = params.code if isinstance(params.code, str) else new_code()
    if named(account, code):
        raise invalid("code", "An active promotion code with this code already exists.", "resource_already_exists")
    promotion_code: Object = {
        "id": new_id("promo_1"),
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": merged({}, params.metadata),
        "promotion": {"coupon": params.promotion.coupon, "type": "coupon"},
        "restrictions": msgspec.to_builtins(params.restrictions),
        "times_redeemed": 0,
    }
    account.add(promotion_code | values)
    account.emit("promotion_code.created", promotion_code | values)
    return promotion_code | values


def update_promotion_code(account: Account, identifier: str, params: PromotionCodeUpdate) -> Object:
    """Switch a code on or off."""
    code = account.get("promotion_code", identifier)
    values = changes(params, "active") | {"metadata": merged(code["metadata"], params.metadata)}
    return account.change(code, "promotion_code.updated", **values)


def list_promotion_codes(account: Account, params: PromotionCodeList) -> Object:
    """List promotion codes."""
    return listed(account, "promotion_code", "/v1/promotion_codes", params)


def named(account: Account, code: str) -> Object | None:
    """Return the active promotion code that is spelt so, whatever the case of its letters."""
    conditions = [("lower(json_extract(body, '$.code')) = ?", code.lower()), ("json_extract(body, '$.active') = ?", 1)]
    codes = account.storage.select("promotion_code", conditions, "DESC", 1)
    return codes[0] if codes else None


def usable(account: Account, code: str, amount: int, currency: str) -> tuple[Object, Object] | None:
    """Return the promotion code and its coupon if a buyer may use it for this amount now."""
    promotion_code = named(account, code)
    coupon = account.storage.load("coupon", promotion_code["promotion"]["coupon"]) if promotion_code else None
    if promotion_code is None or coupon is None or (coupon["currency"] or currency) != currency:
        return None
    limits = promotion_code["restrictions"]
    too_small = limits["minimum_amount"] is not None and amount < limits["minimum_amount"]
    now = account.now()
    ends = [moment for moment in (promotion_code["expires_at"], coupon["redeem_by"]) if moment]
    used_up = any(
        part["max_redemptions"] is not None and part["times_redeemed"] >= part["max_redemptions"]
        for part in (promotion_code, coupon)
    )
    return None if too_small or used_up or any(moment <= now for moment in ends) else (promotion_code, coupon)


def redeem(account: Account, discount: Object) -> None:
    """Count one use of a coupon, and of the promotion code where it came by one."""
    for kind, name in (("coupon", "coupon"), ("promotion_code", "promotion_code")):
        used = account.storage.load(kind, discount[name]) if discount.get(name) else None
        if used:
            account.change(used, f"{kind}.updated", times_redeemed=used["times_redeemed"] + 1)

"""Payment links: an address that sells the same lines to everybody who opens it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.amounts import unit_amount
from troth.demo.card_company.currencies import checked
from troth.demo.card_company.errors import invalid
from troth.demo.card_company.listing import INCLUDED, listed, page_of
from troth.demo.card_company.parameters import Metadata, PageParameters, Parameters, Text, changes, merged
from troth.demo.card_company.storage import Object


class AdjustableQuantity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the buyer may change how many."""

    enabled: bool
    minimum: Annotated[int, Meta(ge=0, le=999_999)] = 0
    maximum: Annotated[int, Meta(ge=1, le=999_999)] = 99


class LineItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price, and how many."""

    price: Text
    quantity: Annotated[int, Meta(ge=1, le=999_999)] = 1
    adjustable_quantity: AdjustableQuantity | None = None


class Switch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is on or off."""

    enabled: bool


class Redirect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the buyer is sent."""

    url: Text


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer is shown."""

    custom_message: str | None = None


class AfterCompletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens once the buyer has paid."""

    type: Literal["hosted_confirmation", "redirect"]
    hosted_confirmation: Confirmation | None = None
    redirect: Redirect | None = None


class IntentData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What payment intents are made with."""

    description: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    statement_descriptor_suffix: str | None = None


type PaymentMethod = Literal["card", "sepa_debit"]


class PaymentLinkCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    line_items: Annotated[list[LineItem], Meta(min_length=1, max_length=20)]
    after_completion: AfterCompletion = AfterCompletion("hosted_confirmation")
    allow_promotion_codes: bool = False
    automatic_tax: Switch = Switch(False)
    billing_address_collection: Literal["auto", "required"] = "auto"
    currency: str | UnsetType = UNSET
    customer_creation: Literal["always", "if_required"] = "if_required"
    inactive_message: Text | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    payment_intent_data: IntentData | UnsetType = UNSET
    payment_method_types: list[PaymentMethod] | UnsetType = UNSET
    submit_type: Literal["auto", "pay"] = "auto"
    tax_id_collection: Switch = Switch(False)


class PaymentLinkUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET
    after_completion: AfterCompletion | UnsetType = UNSET
    allow_promotion_codes: bool | UnsetType = UNSET
    automatic_tax: Switch | UnsetType = UNSET
    inactive_message: str | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class PaymentLinkList(PageParameters, frozen=True, kw_only=True):
    """Parameters."""

    active: bool | UnsetType = UNSET


def priced(account: Account, items: list[LineItem], chosen: str | UnsetType) -> tuple[str, list[Object]]:
    """Return the currency, and the lines as the stand-in keeps them. Raises `ApiError` for prices that do not go."""
    currency = checked(chosen) if isinstance(chosen, str) else ""
    lines: list[Object] = []
    for number, item in enumerate(items):
        price = account.get("price", item.price, f"line_items[{number}][price]")
        if not price["active"]:
            raise invalid(f"line_items[{number}][price]", "The price specified is inactive.")
        currency = currency or price["currency"]
        unit_amount(account, price, currency)
        adjustable = msgspec.to_builtins(item.adjustable_quantity)
        line = {"id": new_id("li_1"), "price": item.price, "quantity": item.quantity, "adjustable": adjustable}
        lines.append(line)
    return currency, lines


def after(completion: AfterCompletion) -> Object:
    """Return what happens after the purchase as the API shows it."""
    if completion.type == "redirect":
        if completion.redirect is None:
            raise invalid("after_completion[redirect]", "Missing required param: after_completion[redirect].")
        return {"type": "redirect", "redirect": {"url": completion.redirect.url}}
    confirmation = completion.hosted_confirmation or Confirmation()
    return {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": confirmation.custom_message}}


def _intent_data(params: PaymentLinkCreate) -> Object | None:
    if not isinstance(params.payment_intent_data, IntentData):
        return None
    nothing = dict.fromkeys(("capture_method", "setup_future_usage", "statement_descriptor", "transfer_group"))
    return nothing | dict(msgspec.to_builtins(params.payment_intent_data))


def create_payment_link(account: Account, params: PaymentLinkCreate) -> Object:
    """Make a payment link."""
    currency, lines = priced(account, params.line_items, params.currency)
    values = changes(params, "inactive_message", "payment_method_types")
    link: Object = {
        "id": new_id("plink_1"),
        "object": "payment_link",
        "active": True,
        "after_completion": after(params.after_completion),
        "allow_promotion_codes": params.allow_promotion_codes,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": automatic_tax(params.automatic_tax.enabled),
        "billing_address_collection": params.billing_address_collection,
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": params.customer_creation,
        "inactive_message": None,
        "invoice_creation": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": merged({}, params.metadata),
        "on_behalf_of": None,
        "payment_intent_data": _intent_data(params),
        "payment_method_collection": "always",
        "payment_method_options": None,
        "payment_method_types": None,
        "phone_number_collection": {"enabled": False},
        "restrictions": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": params.submit_type,
        "subscription_data": None,
        "tax_id_collection": {"enabled": params.tax_id_collection.enabled, "required": "never"},
        "transfer_data": None,
        "url": f"{account.address}/b/{new_id('test_', 18)}",
    }
    account.add(link | values, {"lines": lines})
    account.emit("payment_link.created", link | values)
    return link | values


def automatic_tax(enabled: bool) -> Object:
    """Return the setting as links show it."""
    return {"enabled": enabled, "liability": {"type": "self"} if enabled else None}


def update_payment_link(account: Account, identifier: str, params: PaymentLinkUpdate) -> Object:
    """Change a link, or switch it off."""
    link = account.get("payment_link", identifier)
    values = changes(params, "active", "allow_promotion_codes", "inactive_message")
    values["metadata"] = merged(link["metadata"], params.metadata)
    if isinstance(params.after_completion, AfterCompletion):
        values["after_completion"] = after(params.after_completion)
    if isinstance(params.automatic_tax, Switch):
        values["automatic_tax"] = automatic_tax(params.automatic_tax.enabled)
    return account.change(link, "payment_link.updated", **values)


def list_payment_links(account: Account, params: PaymentLinkList) -> Object:
    """List payment links."""
    return listed(account, "payment_link", "/v1/payment_links", params)


def link_items(account: Account, link: Object) -> Object:
    """Return a link's lines."""
    # What a line costs is known only by the sessions that a link makes; here discounts and tax are not yet.
    from_link = [item_object(account, line, link["currency"]) for line in account.private(link)["lines"]]
    return page_of(from_link, f"/v1/payment_links/{link['id']}/line_items")


def item_object(account: Account, line: Object, currency: str) -> Object:
    """Return a line as the API shows it, before discount and tax."""
    price = account.get("price", line["price"])
    subtotal = unit_amount(account, price, currency) * line["quantity"]
    return {
        "id": line["id"],
        "object": "item",
        "adjustable_quantity": line["adjustable"],
        "amount_discount": 0,
        "amount_subtotal": subtotal,
        "amount_tax": 0,
        "amount_total": subtotal,
        "currency": currency,
        "description": account.get("product", price["product"])["name"],
        "metadata": {},
        "price": price,
        "quantity": line["quantity"],
    }


def list_link_items(account: Account, identifier: str, params: PageParameters) -> Object:
    """List a link's lines."""
    return link_items(account, account.get("payment_link", identifier))


INCLUDED["payment_link", "line_items"] = link_items

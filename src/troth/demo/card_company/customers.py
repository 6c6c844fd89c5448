"""Customers. Deleting one deletes the customer, not what their sessions and charges say: so it is at Stripe."""

import msgspec
from msgspec import UNSET, UnsetType

from troth.demo.card_company.account import Account, new_code, new_id
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import ListParameters, Metadata, Parameters, Unsettable, changes, merged
from troth.demo.card_company.storage import Object


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where somebody is."""

    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class CustomerWrite(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    address: Address | UnsetType = UNSET
    description: Unsettable | UnsetType = UNSET
    email: Unsettable | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    name: Unsettable | UnsetType = UNSET
    phone: Unsettable | UnsetType = UNSET


class CustomerList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    email: str | UnsetType = UNSET


def new_customer(account: Account, **values: object) -> Object:
    """Add a customer."""
    names = "address currency default_source description discount email name phone shipping test_clock".split()
    customer: Object = dict.fromkeys(names) | {
        "id": new_id("cus_", 14),
        "object": "customer",
        "balance": 0,
        "created": account.now(),
        "delinquent": False,
        "invoice_prefix": new_code(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }
    account.add(customer | values)
    account.emit("customer.created", customer | values)
    return customer | values


def create_customer(account: Account, params: CustomerWrite) -> Object:
    """Make a customer."""
    return new_customer(account, **changes(params) | {"metadata": merged({}, params.metadata)})


def retrieve_customer(account: Account, identifier: str, params: Parameters) -> Object:
    """Return a customer, or that they were deleted."""
    if account.storage.load("deleted_customer", identifier):
        return {"id": identifier, "object": "customer", "deleted": True}
    return account.get("customer", identifier)


def update_customer(account: Account, identifier: str, params: CustomerWrite) -> Object:
    """Change a customer."""
    customer = account.get("customer", identifier)
    values = changes(params) | {"metadata": merged(customer["metadata"], params.metadata)}
    return account.change(customer, "customer.updated", **values)


def delete_customer(account: Account, identifier: str, params: Parameters) -> Object:
    """Delete a customer for good; only the id stays."""
    customer = account.get("customer", identifier)
    account.emit("customer.deleted", customer)
    deleted = {"id": identifier, "object": "deleted_customer"}
    account.storage.run("DELETE FROM objects WHERE id = ?", identifier)
    account.add(deleted)
    return {"id": identifier, "object": "customer", "deleted": True}


def list_customers(account: Account, params: CustomerList) -> Object:
    """List customers."""
    return listed(account, "customer", "/v1/customers", params)

"""The calls that are answered: method, path, the permission that a restricted key needs, parameters, function."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from troth.demo.card_company import (
    catalog,
    customers,
    discounts,
    disputes,
    payment_links,
    payments,
    refunds,
    sessions,
    webhooks,
)
from troth.demo.card_company.account import Account
from troth.demo.card_company.parameters import ListParameters, PageParameters, Parameters
from troth.demo.card_company.storage import Object


@dataclass(frozen=True, slots=True)
class Route:
    """One call."""

    method: str
    path: str
    """`{}` stands for an id."""
    resource: str
    """The resource as permissions name it: `rak_<resource>_read`, `rak_<resource>_write`."""
    parameters: type[Parameters]
    answer: Callable[..., Object]

    @property
    def permission(self) -> str:
        """The permission that a restricted key needs."""
        return f"{self.resource}_{'read' if self.method == 'GET' else 'write'}"

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """Return the ids in a path that is this call's; None if it is another's."""
        pattern = re.escape(self.path).replace(r"\{\}", "([^/]+)")
        fits = re.fullmatch(pattern, path) if method == self.method else None
        return fits.groups() if fits else None


def _retrieving(kind: str) -> Callable[..., Object]:
    def retrieve(account: Account, identifier: str, params: Parameters) -> Object:
        return account.get(kind, identifier)

    return retrieve


def _crud(
    path: str, resource: str, kind: str, *, create: Any = None, update: Any = None, lists: Any = None
) -> list[Route]:
    """Return the usual calls of a resource; `create`, `update` and `lists` are (parameters, function)."""
    routes = [Route("GET", f"{path}/{{}}", resource, Parameters, _retrieving(kind))]
    routes += [Route("POST", path, resource, *create)] if create else []
    routes += [Route("POST", f"{path}/{{}}", resource, *update)] if update else []
    return routes + ([Route("GET", path, resource, *lists)] if lists else [])


_SESSIONS, _LINKS, _INTENTS = "/v1/checkout/sessions", "/v1/payment_links", "/v1/payment_intents"

ROUTES: tuple[Route, ...] = (
    *_crud(
        "/v1/products",
        "product",
        "product",
        create=(catalog.ProductCreate, catalog.create_product),
        update=(catalog.ProductUpdate, catalog.update_product),
        lists=(catalog.ProductList, catalog.list_products),
    ),
    Route("DELETE", "/v1/products/{}", "product", Parameters, catalog.delete_product),
    *_crud(
        "/v1/prices",
        "plan",
        "price",
        create=(catalog.PriceCreate, catalog.create_price),
        update=(catalog.PriceUpdate, catalog.update_price),
        lists=(catalog.PriceList, catalog.list_prices),
    ),
    *_crud(
        _LINKS,
        "payment_links",
        "payment_link",
        create=(payment_links.PaymentLinkCreate, payment_links.create_payment_link),
        update=(payment_links.PaymentLinkUpdate, payment_links.update_payment_link),
        lists=(payment_links.PaymentLinkList, payment_links.list_payment_links),
    ),
    Route("GET", f"{_LINKS}/{{}}/line_items", "payment_links", PageParameters, payment_links.list_link_items),
    *_crud(
        _SESSIONS,
        "checkout_session",
        "checkout.session",
        create=(sessions.SessionCreate, sessions.create_session),
        update=(sessions.SessionUpdate, sessions.update_session),
        lists=(sessions.SessionList, sessions.list_sessions),
    ),
    Route("POST", f"{_SESSIONS}/{{}}/expire", "checkout_session", Parameters, sessions.expire_session),
    Route("GET", f"{_SESSIONS}/{{}}/line_items", "checkout_session", PageParameters, sessions.list_session_items),
    *_crud(
        _INTENTS,
        "payment_intent",
        "payment_intent",
        create=(payments.IntentCreate, payments.create_intent),
        update=(payments.IntentUpdate, payments.update_intent),
        lists=(payments.ByCustomer, payments.list_intents),
    ),
    Route("POST", f"{_INTENTS}/{{}}/confirm", "payment_intent", payments.IntentConfirm, payments.confirm_intent),
    Route("POST", f"{_INTENTS}/{{}}/cancel", "payment_intent", payments.IntentCancel, payments.cancel_intent),
    *_crud("/v1/charges", "charge", "charge", lists=(payments.ByIntent, payments.list_charges)),
    *_crud("/v1/payment_methods", "payment_method", "payment_method"),
    *_crud(
        "/v1/balance_transactions",
        "balance",
        "balance_transaction",
        lists=(payments.BalanceList, payments.list_balance),
    ),
    *_crud(
        "/v1/refunds",
        "charge",
        "refund",
        create=(refunds.RefundCreate, refunds.create_refund),
        update=(refunds.RefundUpdate, refunds.update_refund),
        lists=(refunds.RefundList, refunds.list_refunds),
    ),
    *_crud(
        "/v1/disputes",
        "dispute",
        "dispute",
        update=(disputes.DisputeUpdate, disputes.update_dispute),
        lists=(disputes.DisputeList, disputes.list_disputes),
    ),
    Route("POST", "/v1/disputes/{}/close", "dispute", Parameters, disputes.close_dispute),
    Route("POST", "/v1/customers", "customer", customers.CustomerWrite, customers.create_customer),
    Route("GET", "/v1/customers", "customer", customers.CustomerList, customers.list_customers),
    Route("GET", "/v1/customers/{}", "customer", Parameters, customers.retrieve_customer),
    Route("POST", "/v1/customers/{}", "customer", customers.CustomerWrite, customers.update_customer),
    Route("DELETE", "/v1/customers/{}", "customer", Parameters, customers.delete_customer),
    *_crud(
        "/v1/coupons",
        "coupon",
        "coupon",
        create=(discounts.CouponCreate, discounts.create_coupon),
        update=(discounts.CouponUpdate, discounts.update_coupon),
        lists=(ListParameters, discounts.list_coupons),
    ),
    Route("DELETE", "/v1/coupons/{}", "coupon", Parameters, discounts.delete_coupon),
    *_crud(
        "/v1/promotion_codes",
        "promotion_code",
        "promotion_code",
        create=(discounts.PromotionCodeCreate, discounts.create_promotion_code),
        update=(discounts.PromotionCodeUpdate, discounts.update_promotion_code),
        lists=(discounts.PromotionCodeList, discounts.list_promotion_codes),
    ),
    Route("GET", "/v1/events", "event", webhooks.EventList, webhooks.list_events),
    Route("GET", "/v1/events/{}", "event", Parameters, webhooks.retrieve_event),
    *_crud(
        "/v1/webhook_endpoints",
        "webhook",
        "webhook_endpoint",
        create=(webhooks.EndpointCreate, webhooks.create_endpoint),
        update=(webhooks.EndpointUpdate, webhooks.update_endpoint),
        lists=(PageParameters, webhooks.list_endpoints),
    ),
    Route("DELETE", "/v1/webhook_endpoints/{}", "webhook", Parameters, webhooks.delete_endpoint),
)


def matching(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the call that a request is, and the ids in its path."""
    for route in ROUTES:
        identifiers = route.match(method, path)
        if identifiers is not None:
            return route, identifiers
    return None

"""Each object is held to Stripe's own samples, key by key and type by type, and to what Stripe's client declares of it.

The samples are no part of this repository: `TROTH_TESTDATA` names the folder that holds `stripe/fixtures3.json`.
"""

import ast
import inspect
import json
import os
import textwrap
from pathlib import Path

import pytest
import stripe

SAMPLES = Path(os.environ.get("TROTH_TESTDATA", "../shared/data")) / "stripe" / "fixtures3.json"

MAY_BE_MORE = {
    "balance_transaction": {"fee_details"},
    "checkout.session": {"tax_id_collection"},
    "charge": {"risk_level"},
    "dispute": {"submission_method", "balance_transactions"},
    "payment_link": {"redirect"},
    "price": set(),
    "product": {"tax_details"},
    "refund": {"failure_reason", "failure_balance_transaction"},
    "webhook_endpoint": {"secret"},
}
"""Keys that no sample shows, but Stripe's client declares: shown only after a failure, or to the maker, or lately."""
MAY_BE_LESS = {
    "charge": {"refunds"},  # only where it is asked for
    "item": set(),
}
FREE = {"metadata", "previous_attributes", "payment_method_options", "evidence", "last_payment_error", "next_action"}
"""Objects whose keys depend on what happened; the client's declaration holds them instead."""

CLASSES = {
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "coupon": stripe.Coupon,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "item": stripe.LineItem,
    "payment_intent": stripe.PaymentIntent,
    "payment_link": stripe.PaymentLink,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "promotion_code": stripe.PromotionCode,
    "refund": stripe.Refund,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


@pytest.fixture(scope="module")
def samples():
    if not SAMPLES.exists():
        pytest.skip(f"NOT CHECKED: Stripe's samples are not at {SAMPLES.absolute()}; set TROTH_TESTDATA")
    return json.loads(SAMPLES.read_text("utf-8"))["resources"]


@pytest.fixture(scope="module")
def objects(shared):
    """Objects of each kind in many states, as they are answered and as events tell of them."""
    v1 = shared.client.v1
    coupon = v1.coupons.create({"percent_off": 12.5, "name": "Some"})
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    v1.webhook_endpoints.create({"url": "http://localhost:9/hook", "enabled_events": ["charge.failed"]})
    price = shared.price()
    for after in (
        {"type": "hosted_confirmation"},
        {"type": "redirect", "redirect": {"url": "https://shop.example.com/"}},
    ):
        v1.payment_links.create(
            {
                "line_items": [{"price": price.id, "adjustable_quantity": {"enabled": True}}],
                "after_completion": after,
                "payment_intent_data": {"description": "Plainbook"},
            }
        )
    shared.paid(customer_creation="always", automatic_tax={"enabled": True}, discounts=[{"coupon": coupon.id}])
    for method in ("generic_decline", "challenge", "dispute_fraudulent", "inquiry"):
        shared.paid(method)
    for method in ("debit", "debit_fails"):
        shared.paid(method, allowed_payment_method_types=["card", "sepa_debit"])
    for method in ("success", "refund_pending", "refund_fails"):
        v1.refunds.create({"payment_intent": shared.paid(method).payment_intent.id, "amount": 100})
    v1.checkout.sessions.expire(shared.session(tax_id_collection={"enabled": True}).id)
    shared.advance(700)
    listed = [
        *(v1.products, v1.prices, v1.payment_links, v1.checkout.sessions, v1.payment_intents, v1.charges, v1.refunds),
        *(v1.disputes, v1.customers, v1.coupons, v1.promotion_codes, v1.webhook_endpoints, v1.balance_transactions),
    ]
    found = [each.to_dict() for service in listed for each in service.list({"limit": 100}).data]
    found += [v1.payment_methods.retrieve(charge.payment_method).to_dict() for charge in v1.charges.list().data]
    found += [
        item.to_dict()
        for link in v1.payment_links.list().data
        for item in v1.payment_links.line_items.list(link.id).data
    ]
    events = [event.to_dict() for event in v1.events.list({"limit": 100}).auto_paging_iter()]
    found += events + [event["data"]["object"] for event in events]
    return found


def test_there_is_an_object_of_each_kind(objects):
    assert {each["object"] for each in objects} == CLASSES.keys()


def held(ours, sample, kind, path=""):
    """What is wrong with an object beside its sample."""
    more, less = MAY_BE_MORE.get(kind, set()), MAY_BE_LESS.get(kind, set())
    for name in ours.keys() - sample.keys() - more:
        yield f"{kind}{path}: {name} is in no sample"
    for name in sample.keys() - ours.keys() - less:
        yield f"{kind}{path}: {name} is lacking"
    for name in ours.keys() & sample.keys():
        mine, theirs = ours[name], sample[name]
        if mine is None or theirs is None:
            continue
        if type(mine) is not type(theirs) and {type(mine), type(theirs)} != {int, float}:
            yield f"{kind}{path}.{name}: {type(mine).__name__}, not {type(theirs).__name__}"
        elif isinstance(mine, dict) and name not in FREE and theirs and mine.get("object") is None:
            yield from held(mine, theirs, kind, f"{path}.{name}")


UNIONS = ("payment_method_details", "destination_details", "after_completion", "data", "card", "promotion")
"""Objects with a key for each variant, of which a sample shows one."""


def test_every_object_has_the_keys_and_types_of_its_sample(objects, samples):
    wrong = set()
    for each in objects:
        sample = json.loads(json.dumps(samples[each["object"]]))
        mine = json.loads(json.dumps(each, default=str))
        if each["object"] == "event":
            mine["data"] = sample["data"] = None
        for name in UNIONS:
            for part in (mine, sample):
                if isinstance(part.get(name), dict) and (part[name].get("type") or name == "card"):
                    part[name] = {}
        if mine.get("type") == "sepa_debit":
            mine["card"] = mine.pop("sepa_debit") and {}
        wrong |= set(held(mine, sample, each["object"]))
    assert wrong == set()


def declared(cls):
    """The fields that Stripe's client declares of an object: name, whether it may be null, type; and nested classes."""
    return inner(ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0])


def inner(node):
    fields = {each.target.id: ast.unparse(each.annotation) for each in node.body if isinstance(each, ast.AnnAssign)}
    nested = {each.name: inner(each) for each in node.body if isinstance(each, ast.ClassDef)}
    return fields, nested


SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "Decimal": str}


def against(ours, fields, nested, path):
    """What is wrong with an object beside its declaration."""
    for name in ours.keys() - fields.keys():
        yield f"{path}.{name} is not declared"
    for name, words in fields.items():
        optional = words.startswith("Optional[")
        kind = words.removeprefix("Optional[").removesuffix("]") if optional else words
        value = ours.get(name)
        if value is None:
            if not optional and not words.startswith("ClassVar"):
                yield f"{path}.{name} is null or lacking"
        elif kind in SCALARS and not (isinstance(value, SCALARS[kind]) and (kind == "bool" or value is not True)):
            yield f"{path}.{name} is {type(value).__name__}, not {kind}"
        elif kind in nested:
            yield from against(value, *nested[kind], f"{path}.{name}")
        elif kind.startswith("List[") and not isinstance(value, list):
            yield f"{path}.{name} is no list"
        elif kind.startswith("List[") and kind[5:-1] in nested:
            for part in value:
                yield from against(part, *nested[kind[5:-1]], f"{path}.{name}")


def test_every_object_is_as_the_client_declares_it(objects):
    declarations = {kind: declared(cls) for kind, cls in CLASSES.items()}
    wrong = set()
    for each in objects:
        body = json.loads(json.dumps(each, default=str))
        wrong |= set(against(body, *declarations[each["object"]], each["object"]))
    assert wrong == set()


def test_the_check_itself_sees_what_is_wrong(samples):
    good = samples["refund"]
    assert set(held(good, good, "refund")) == set()
    assert set(held(good | {"amount": "100", "colour": 1}, good, "refund")) == {
        "refund.amount: str, not int",
        "refund: colour is in no sample",
    }
    fields, nested = declared(stripe.Refund)
    assert "refund.amount is str, not int" in set(against(good | {"amount": "100"}, fields, nested, "refund"))


def test_every_parameter_that_is_taken_is_one_that_stripe_takes():
    """By the client's declarations of the parameters; `stripe.params` has a class for each call."""
    import stripe.params
    import stripe.params.checkout

    from troth.demo.card_company.calls import ROUTES
    from troth.demo.card_company.parameters import Parameters

    names = {
        "catalog.ProductCreate": "ProductCreateParams",
        "catalog.ProductUpdate": "ProductUpdateParams",
        "catalog.ProductList": "ProductListParams",
        "catalog.PriceCreate": "PriceCreateParams",
        "catalog.PriceUpdate": "PriceUpdateParams",
        "catalog.PriceList": "PriceListParams",
        "payment_links.PaymentLinkCreate": "PaymentLinkCreateParams",
        "payment_links.PaymentLinkUpdate": "PaymentLinkUpdateParams",
        "payment_links.PaymentLinkList": "PaymentLinkListParams",
        "sessions.SessionCreate": "checkout.SessionCreateParams",
        "sessions.SessionUpdate": "checkout.SessionUpdateParams",
        "sessions.SessionList": "checkout.SessionListParams",
        "payments.IntentCreate": "PaymentIntentCreateParams",
        "payments.IntentUpdate": "PaymentIntentUpdateParams",
        "payments.IntentConfirm": "PaymentIntentConfirmParams",
        "payments.IntentCancel": "PaymentIntentCancelParams",
        "payments.ByCustomer": "PaymentIntentListParams",
        "payments.ByIntent": "ChargeListParams",
        "payments.BalanceList": "BalanceTransactionListParams",
        "refunds.RefundCreate": "RefundCreateParams",
        "refunds.RefundUpdate": "RefundUpdateParams",
        "refunds.RefundList": "RefundListParams",
        "disputes.DisputeUpdate": "DisputeUpdateParams",
        "disputes.DisputeList": "DisputeListParams",
        "customers.CustomerWrite": "CustomerUpdateParams",
        "customers.CustomerList": "CustomerListParams",
        "discounts.CouponCreate": "CouponCreateParams",
        "discounts.CouponUpdate": "CouponUpdateParams",
        "discounts.PromotionCodeCreate": "PromotionCodeCreateParams",
        "discounts.PromotionCodeUpdate": "PromotionCodeUpdateParams",
        "discounts.PromotionCodeList": "PromotionCodeListParams",
        "webhooks.EndpointCreate": "WebhookEndpointCreateParams",
        "webhooks.EndpointUpdate": "WebhookEndpointUpdateParams",
        "webhooks.EventList": "EventListParams",
        "parameters.ListParameters": "CouponListParams",
        "parameters.PageParameters": "WebhookEndpointListParams",
    }
    taken = {route.parameters for route in ROUTES} - {Parameters}
    called = {f"{each.__module__.rpartition('.')[2]}.{each.__name__}": each for each in taken}
    assert called.keys() == names.keys()
    for name, params in called.items():
        folder, _, cls = names[name].rpartition(".")
        theirs = getattr(stripe.params.checkout if folder else stripe.params, cls)
        assert set(params.__struct_fields__) <= {*theirs.__annotations__, "expand"}, name

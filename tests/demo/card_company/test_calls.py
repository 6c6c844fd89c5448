"""Each call, made by Stripe's own client."""

import pytest
import stripe


def refused(call, status=400):
    with pytest.raises(stripe.StripeError) as caught:
        call()
    assert caught.value.http_status == status
    return caught.value


def test_a_product_is_made_changed_listed_and_deleted(company):
    products = company.client.v1.products
    product = products.create({"name": "Tidemark", "metadata": {"edition": "pro"}, "active": True})
    assert product.id.startswith("prod_") and product.metadata["edition"] == "pro"
    changed = products.update(product.id, {"description": "Charts", "metadata": {"edition": "", "sku": "7"}})
    assert (changed.description, changed.metadata.to_dict()) == ("Charts", {"sku": "7"})
    assert products.update(product.id, {"description": ""}).description is None
    assert product.id in [each.id for each in products.list({"limit": 100, "active": True}).data]
    assert products.delete(product.id).deleted
    assert refused(lambda: products.retrieve(product.id), 404).code == "resource_missing"


def test_a_product_with_a_price_is_not_deleted(company):
    product = company.client.v1.products.create(
        {"name": "Plainbook", "default_price_data": {"currency": "eur", "unit_amount": 1900}}
    )
    assert company.client.v1.prices.retrieve(product.default_price).unit_amount == 1900
    assert "has one or more" in str(refused(lambda: company.client.v1.products.delete(product.id)))


def test_prices_name_an_amount_for_each_currency_in_its_smallest_unit(company):
    price = company.price(4900, "eur", currency_options={"jpy": {"unit_amount": 7900}, "kwd": {"unit_amount": 16500}})
    yen = company.session(price, currency="jpy")
    assert (yen.amount_total, yen.currency) == (7900, "jpy")
    assert "not `usd`" in str(refused(lambda: company.session(price, currency="usd")))
    assert refused(lambda: company.price(16505, "kwd")).code == "amount_invalid"
    assert refused(lambda: company.price(100, "xxx")).code == "currency_not_supported"
    assert refused(lambda: company.price(-5, "eur")).param == "unit_amount"


def test_a_lookup_key_names_one_price_and_can_move(company):
    first = company.price(lookup_key="plainbook")
    assert refused(lambda: company.price(lookup_key="plainbook")).code == "resource_already_exists"
    second = company.price(5900, lookup_key="plainbook", transfer_lookup_key=True)
    assert [each.id for each in company.client.v1.prices.list({"lookup_keys": ["plainbook"]}).data] == [second.id]
    assert company.client.v1.prices.retrieve(first.id).lookup_key is None


def test_a_payment_link_sells_until_it_is_switched_off(company):
    links = company.client.v1.payment_links
    link = links.create(
        {
            "line_items": [{"price": company.price().id, "quantity": 2}],
            "after_completion": {
                "type": "redirect",
                "redirect": {"url": "https://shop.example.com/{CHECKOUT_SESSION_ID}"},
            },
            "metadata": {"edition": "pro"},
        }
    )
    assert link.url.startswith(f"{company.url}/b/test_")
    opened = company.web.get(f"{link.url}?client_reference_id=ref-7&prefilled_email=ada%40example.com")
    assert opened.status_code == 303
    (session,) = company.client.v1.checkout.sessions.list({"payment_link": link.id}).data
    assert (session.client_reference_id, session.amount_total) == ("ref-7", 9800)
    assert session.metadata["edition"] == "pro" and opened.headers["location"] == session.url
    assert "ada@example.com" in company.web.get(session.url).text
    assert links.line_items.list(link.id).data[0].quantity == 2
    assert not links.update(link.id, {"active": False, "inactive_message": "Sold out"}).active
    closed = company.web.get(link.url)
    assert closed.status_code == 410 and "Sold out" in closed.text
    assert company.web.get(f"{company.url}/b/test_nothing").status_code == 404


def test_a_paid_session_has_an_intent_a_charge_and_a_movement(company):
    session = company.paid(client_reference_id="order-1", metadata={"order": "1"})
    assert (session.status, session.payment_status, session.amount_total) == ("complete", "paid", 4900)
    intent = session.payment_intent
    charge = intent.latest_charge
    assert (intent.status, intent.amount_received, charge.paid) == ("succeeded", 4900, True)
    assert charge.payment_method_details.card.last4 == "4242"
    movement = company.client.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (movement.amount, movement.net, movement.source) == (4900, 4900 - movement.fee, charge.id)
    assert session.url is None and session.customer_details.email == "buyer@example.com"


def test_a_customer_is_made_where_the_session_says_so_and_deleting_leaves_the_charge(company):
    session = company.paid(customer_creation="always")
    customers = company.client.v1.customers
    assert customers.retrieve(session.customer).email == "buyer@example.com"
    assert [each.id for each in company.client.v1.charges.list({"customer": session.customer}).data]
    assert customers.delete(session.customer).deleted
    assert customers.retrieve(session.customer).deleted
    assert refused(lambda: customers.update(session.customer, {"name": "x"}), 404).code == "resource_missing"
    kept = company.client.v1.charges.retrieve(session.payment_intent.latest_charge.id)
    assert kept.billing_details.email == "buyer@example.com"  # as at Stripe: what must be known of a payment stays


def test_a_declined_card_leaves_the_session_open_and_another_card_pays(company):
    session = company.session()
    for method in ("generic_decline", "insufficient_funds", "expired_card"):
        assert company.control("pay", session=session.id, method=method)["status"] == "open"
    intent = company.client.v1.payment_intents.retrieve(
        company.client.v1.checkout.sessions.retrieve(session.id).payment_intent
    )
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", "expired_card")
    assert company.control("pay", session=session.id)["payment_status"] == "paid"
    assert company.client.v1.payment_intents.retrieve(intent.id).last_payment_error is None


def test_three_d_secure_is_passed_or_failed(company):
    assert company.paid("challenge").payment_status == "paid"
    session = company.session()
    state = company.control("pay", session=session.id, method="challenge", passes_challenge=False)
    assert (state["status"], state["payment_status"]) == ("open", "unpaid")
    assert company.control("pay", session=session.id, method="challenge_then_decline")["status"] == "open"


@pytest.mark.parametrize(("method", "status"), [("debit", "paid"), ("debit_fails", "unpaid")])
def test_a_bank_debit_completes_unpaid_and_ends_later(company, method, status):
    session = company.paid(method, allowed_payment_method_types=["card", "sepa_debit"])
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert session.payment_intent.status == "processing"
    company.advance(181)
    after = company.client.v1.checkout.sessions.retrieve(session.id)
    assert after.payment_status == status
    assert company.events()[0] == f"checkout.session.async_payment_{'succeeded' if status == 'paid' else 'failed'}"


def test_a_session_expires_by_the_clock_or_by_a_call(company):
    sessions = company.client.v1.checkout.sessions
    called, left = company.session(), company.session()
    assert sessions.expire(called.id).status == "expired"
    assert "open" in str(refused(lambda: sessions.expire(called.id)))
    company.advance(86400)
    assert sessions.retrieve(left.id).status == "expired"
    assert company.web.get(left.url).status_code == 410
    assert refused(lambda: company.session(expires_at=5)).param == "expires_at"


def test_refunds_never_exceed_the_payment(company):
    refunds, intent = company.client.v1.refunds, company.paid().payment_intent
    part = refunds.create({"payment_intent": intent.id, "amount": 1000, "reason": "requested_by_customer"})
    assert (part.status, part.amount) == ("succeeded", 1000)
    assert refused(lambda: refunds.create({"payment_intent": intent.id, "amount": 3901})).param == "amount"
    assert refunds.create({"charge": intent.latest_charge.id}).amount == 3900
    assert refused(lambda: refunds.create({"payment_intent": intent.id})).code == "charge_already_refunded"
    charge = company.client.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})
    assert charge.refunded and [each.amount for each in charge.refunds.data] == [3900, 1000]
    assert len(refunds.list({"payment_intent": intent.id}).data) == 2
    assert refused(lambda: refunds.create({})).http_status == 400


@pytest.mark.parametrize(
    ("method", "first", "last"), [("refund_pending", "pending", "succeeded"), ("refund_fails", "succeeded", "failed")]
)
def test_a_refund_may_end_later(company, method, first, last):
    refund = company.client.v1.refunds.create({"payment_intent": company.paid(method).payment_intent.id})
    assert refund.status == first
    company.advance(601)
    after = company.client.v1.refunds.retrieve(refund.id)
    assert after.status == last
    charge = company.client.v1.charges.retrieve(after.charge)
    assert charge.amount_refunded == (0 if last == "failed" else 4900)


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute_takes_the_money_and_evidence_decides(company, text, status):
    session = company.paid("dispute_fraudulent")
    disputes = company.client.v1.disputes
    (dispute,) = disputes.list({"payment_intent": session.payment_intent.id}).data
    assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
    assert dispute.balance_transactions[0].amount == -4900
    refund = {"payment_intent": session.payment_intent.id}
    assert refused(lambda: company.client.v1.refunds.create(refund)).code == "charge_disputed"
    assert disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}}).status == "under_review"
    company.advance(3601)
    assert disputes.retrieve(dispute.id).status == status
    assert ("charge.dispute.funds_reinstated" in company.events()[:2]) == (status == "won")


def test_a_dispute_is_lost_by_its_deadline_or_by_accepting_it(company):
    disputes = company.client.v1.disputes
    charges = [company.paid().payment_intent.latest_charge.id for _ in range(2)]
    first, second = (company.control("disputes", charge=charge)["id"] for charge in charges)
    assert disputes.close(first).status == "lost"
    company.advance(8 * 86400 + 1)
    late = disputes.retrieve(second)
    assert late.status == "lost" and late.evidence_details.past_due
    assert refused(lambda: disputes.close(second)).http_status == 400


def test_coupons_and_promotion_codes_lower_the_total_and_are_counted(company):
    client = company.client.v1
    coupon = client.coupons.create({"percent_off": 25, "duration": "once", "name": "Quarter"})
    code = client.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "FALL25", "max_redemptions": 1}
    )
    session = company.session(allow_promotion_codes=True)
    paid = company.control("pay", session=session.id, code="fall25")
    assert (paid["amount_total"], paid["total_details"]["amount_discount"]) == (3675, 1225)
    assert (
        client.promotion_codes.retrieve(code.id).times_redeemed
        == client.coupons.retrieve(coupon.id).times_redeemed
        == 1
    )
    other = company.session(allow_promotion_codes=True)
    answer = company.web.post("/_control/pay", json={"session": other.id, "code": "fall25"})
    assert answer.status_code == 422 and "not valid" in answer.text
    assert client.promotion_codes.list({"code": "FALL25"}).data[0].id == code.id
    assert refused(lambda: client.coupons.create({"duration": "once"})).code == "parameter_missing"
    assert client.coupons.delete(coupon.id).deleted


def test_a_discount_of_everything_needs_no_payment(company):
    coupon = company.client.v1.coupons.create({"amount_off": 9900, "currency": "eur"})
    session = company.paid(discounts=[{"coupon": coupon.id}])
    assert (session.payment_status, session.amount_total, session.payment_intent) == ("no_payment_required", 0, None)


@pytest.mark.parametrize(
    ("behaviour", "vat_number", "total", "tax"),
    [("exclusive", "", 11900, 1900), ("inclusive", "", 10000, 1597), ("exclusive", "DE000000000", 10000, 0)],
)
def test_tax_is_by_country(company, behaviour, vat_number, total, tax):
    session = company.session(company.price(10000, tax_behavior=behaviour), automatic_tax={"enabled": True})
    assert session.automatic_tax.status == "requires_location_inputs"
    paid = company.control("pay", session=session.id, country="DE", vat_number=vat_number)
    assert (paid["amount_total"], paid["total_details"]["amount_tax"]) == (total, tax)
    assert paid["automatic_tax"]["status"] == "complete"
    (item,) = company.client.v1.checkout.sessions.line_items.list(session.id).data
    assert (item.amount_total, item.amount_tax) == (total, tax)


def test_an_intent_is_confirmed_with_a_named_test_card_or_cancelled(company):
    intents = company.client.v1.payment_intents
    paid = intents.create({"amount": 700, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True})
    assert paid.status == "succeeded"
    intent = intents.create({"amount": 700, "currency": "usd"})
    error = refused(lambda: intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclined"}), 402)
    assert isinstance(error, stripe.CardError) and error.error.decline_code == "generic_decline"
    assert company.client.v1.charges.retrieve(error.error.charge).status == "failed"
    assert intents.cancel(intent.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    assert refused(lambda: intents.cancel(paid.id)).code == "payment_intent_unexpected_state"
    assert refused(lambda: intents.create({"amount": 49, "currency": "usd"})).code == "amount_too_small"


def test_lists_have_pages_both_ways(company):
    products = company.client.v1.products
    ids = [products.create({"name": f"Page {number}"}).id for number in range(5)]
    first = products.list({"limit": 2})
    assert [each.id for each in first.data] == ids[:2:-1] and first.has_more and first.url == "/v1/products"
    second = products.list({"limit": 2, "starting_after": first.data[-1].id})
    assert [each.id for each in second.data] == [ids[2], ids[1]]
    back = products.list({"limit": 2, "ending_before": second.data[0].id})
    assert [each.id for each in back.data] == [ids[4], ids[3]] and not back.has_more
    walked = []
    for product in products.list({"limit": 2}).auto_paging_iter():
        walked.append(product.id)
        if len(walked) == 5:
            break
    assert walked == ids[::-1]
    assert refused(lambda: products.list({"limit": 101})).param == "limit"


def test_events_are_listed_retrieved_and_kept_for_thirty_days(company):
    session = company.paid()
    events = company.client.v1.events
    (event,) = events.list({"type": "checkout.session.completed", "limit": 1}).data
    assert event.data.object.id == session.id and event.api_version == "2026-10-28.endive"
    assert events.retrieve(event.id).type == "checkout.session.completed"
    kinds = {each.type for each in events.list({"types": ["charge.succeeded", "payment_intent.succeeded"]}).data}
    assert kinds == {"charge.succeeded", "payment_intent.succeeded"}
    assert events.list({"created": {"gt": event.created + 10**6}}).data == []
    company.advance(30 * 86400 + 1)
    assert refused(lambda: events.retrieve(event.id), 404).code == "resource_missing"
    assert event.id not in [each.id for each in events.list({"limit": 100}).data]


def test_fields_are_expanded_four_levels_deep_and_only_those_that_hold_objects(company):
    session = company.session()
    sessions = company.client.v1.checkout.sessions
    shown = sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert shown.line_items.data[0].price.unit_amount == 4900
    error = refused(lambda: sessions.retrieve(session.id, {"expand": ["currency"]}))
    assert "cannot be expanded" in str(error)
    listed = company.client.v1.prices.list({"limit": 1, "expand": ["data.product"]})
    assert listed.data[0].product.name == "Plainbook"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"name": "x", "colour": "red"}, "parameter_unknown", "colour"),
        ({}, "parameter_missing", "name"),
        ({"name": ""}, "parameter_invalid_empty", "name"),
        (
            {"name": "x", "default_price_data": {"currency": "eur"}},
            "parameter_missing",
            "default_price_data[unit_amount]",
        ),
        (
            {"name": "x", "default_price_data": {"currency": "eur", "unit_amount": "12.5"}},
            "parameter_invalid_integer",
            "default_price_data[unit_amount]",
        ),
        ({"name": "x", "default_price_data": {"a": {"b": 1}}}, "parameter_unknown", "default_price_data[a]"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(company, params, code, param):
    error = refused(lambda: company.client.v1.products.create(params))
    assert isinstance(error, stripe.InvalidRequestError)
    assert (error.code, error.param) == (code, param)


def test_an_error_quotes_no_value(company):
    error = refused(lambda: company.client.v1.products.list({"limit": "4242424242424242x"}))
    assert "4242" not in error.http_body


def test_metadata_has_limits(company):
    products = company.client.v1.products
    many = {str(number): "x" for number in range(51)}
    assert refused(lambda: products.create({"name": "x", "metadata": many})).param == "metadata"
    assert refused(lambda: products.create({"name": "x", "metadata": {"k": "v" * 501}})).param == "metadata"
    product = products.create({"name": "x", "metadata": {"0": "zero", "a": "1"}})
    assert product.metadata.to_dict() == {"0": "zero", "a": "1"}
    assert products.update(product.id, {"metadata": ""}).metadata.to_dict() == {}


def test_keys_open_what_they_permit(company):
    reader = company.restricted("product_read", "charge_write")
    assert reader.v1.products.list().data is not None
    assert reader.v1.refunds.list().data is not None  # who may write may read
    error = refused(lambda: reader.v1.products.create({"name": "x"}), 403)
    assert isinstance(error, stripe.PermissionError) and "rak_product_write" in str(error)
    assert error.error.type == "invalid_request_error" and reader._requestor.api_key not in str(error)
    assert isinstance(
        refused(lambda: company.client_of("sk_test_wrong_one_12345").v1.products.list(), 401),
        stripe.AuthenticationError,
    )
    assert (
        company.web.post("/_control/work", headers={"Authorization": f"Bearer {reader._requestor.api_key}"}).status_code
        == 403
    )


def test_one_version_of_the_api_is_answered(company):
    error = refused(lambda: company.client_of(company.key, version="2020-08-27").v1.products.list())
    assert "Invalid Stripe API version" in str(error)


def test_what_there_is_not_is_not_answered(company):
    assert company.web.get("/v1/subscriptions").status_code == 404
    assert company.web.get("/nothing").status_code == 404
    assert company.web.get("/", headers={"Host": "evil.example.com"}).status_code == 421
    assert company.web.post("/v1/products", content=b"x" * (2 << 20)).status_code == 413

"""A stand-in for the card company, for the demo and tests: a process of its own on loopback, written from Stripe's
public API and driven by Stripe's own client. No money moves, and no card number is kept.

    python -m troth.demo.card_company --port 8706 [--state FILE] [--json]

**Calls**: products, prices, payment links (with line items), coupons, promotion codes, customers and webhook endpoints
(make, change, list, retrieve; products, coupons, customers and endpoints: delete); checkout sessions in mode `payment`
(also expire and line items); payment intents (also confirm with `pm_card_...`, cancel); refunds; disputes (evidence,
close); charges, payment methods, balance transactions, events (list, retrieve). With `expand`, pages, `metadata`,
idempotency keys, restricted keys, one API version (`account.API_VERSION`), signed webhooks with retries.

**Hosted pages**: pay by card or bank debit, promotion code, quantity, tax by country, 3-D Secure, thanks.

**Left out**: subscriptions, invoices, shipping, custom fields, connected accounts, saved cards, search, files, payouts,
`ui_mode` other than hosted, capture by hand, application of coupons to some products only. A parameter of a part that
is left out is refused like an unknown one, never ignored. Tax rates are rough and for tests. Fees are 2.9 % and 30.

**For tests** (`control.py`, `faults.py`): a clock to move, faults of answers and of notices, restricted keys, payments
by the name of a test card.
"""

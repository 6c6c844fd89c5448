"""What the shop files, sends, stores and shows (`core.rooms`)."""

from troth.core.rooms import Room
from troth.vault.legal_holds import INVOICE

ROOM = Room(
    name="shop",
    active=lambda config: config.shop.enabled,
    kept_by_law=(INVOICE,),
    columns=frozenset(
        {
            # The operator's own words: products, editions, coupons.
            "shop.Product.slug",
            "shop.Product.name",
            "shop.Product.description",
            "shop.Edition.slug",
            "shop.Edition.name",
            "shop.Coupon.code",
            # The card company's ids and addresses of what is sold.
            "shop.Edition.company_product",
            "shop.Price.company_price",
            "shop.Price.company_link",
            "shop.Price.url",
            "shop.Coupon.company_code",
            # Fixed words, currencies, countries, numbers of our own.
            "shop.Price.currency",
            "shop.Price.tax",
            "shop.Price.state",
            "shop.Coupon.currency",
            "shop.Coupon.state",
            "shop.Order.number",
            "shop.Order.state",
            "shop.Order.problem",
            "shop.Order.currency",
            "shop.Order.country",
            "shop.Movement.kind",
            "shop.Movement.currency",
            "shop.Movement.document",
            "shop.Dispute.reason",
            "shop.Dispute.state",
            "shop.CompanyEvent.type",
            "shop.Question.kind",
            "shop.Question.problem",
            "shop.RefusedNotice.day",
            "shop.RefusedNotice.reason",
            "shop.RefundOrder.operator",
            "shop.RefundOrder.state",
            "shop.RefundOrder.reason",
            "shop.Comparison.problem",
            # The card company's ids of a purchase, and of a card its brand and last four digits.
            "shop.Order.checkout",
            "shop.Order.payment",
            "shop.Order.customer",
            "shop.Order.card_brand",
            "shop.Order.last4",
            "shop.Dispute.id",
            "shop.CompanyEvent.id",
            "shop.CompanyEvent.about",
            "shop.Question.about",
            "shop.CustomerToForget.customer",
        }
    ),
)

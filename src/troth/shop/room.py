"""What the shop files, sends, stores and shows (`core.rooms`)."""

from collections.abc import Mapping, Sequence

from troth.core.config.sections import Config
from troth.core.purpose import Purpose
from troth.core.rooms import Collected, MenuLink, OutsideWork, Room
from troth.kit.roles import DESK
from troth.shop import asking, erase, intake, retention
from troth.shop.entry import CardNotice, CheckoutReturn
from troth.shop.mails import ORDER, REFUND, SHOP_ALERT, compose_alerts, compose_orders, compose_refunds
from troth.shop.models import Order, Question, RefundOrder
from troth.vault.legal_holds import INVOICE


def _collects(config: Config) -> Sequence[Collected]:
    if not config.shop.enabled:
        return ()
    title = "Purchases: product, amount, country, last four digits of the card"
    how = "from the card company; by random ID"
    return (Collected("orders", title, Purpose.ADMINISTRATION, how, INVOICE.period),)


def _status() -> Mapping[str, Mapping[str, int]]:
    waiting = {"questions": Question.objects.count()}
    waiting["refunds"] = RefundOrder.objects.filter(state=RefundOrder.State.QUEUED).count()
    return {"shop_waiting": waiting, "orders_to_look_at": {"problem": Order.objects.exclude(problem="").count()}}


ROOM = Room(
    name="shop",
    files={CardNotice: intake.file_notices, CheckoutReturn: intake.file_returns},
    mails={ORDER: compose_orders, REFUND: compose_refunds, SHOP_ALERT: compose_alerts},
    outside=OutsideWork(asking.due, asking.ask, asking.record),
    active=lambda config: config.shop.enabled,
    holding=erase,
    forget_address=erase.forget_at_the_company,
    retention=retention.KEPT,
    kept_by_law=(INVOICE,),
    collects=_collects,
    status=_status,
    urls="troth.shop.urls",
    navigation=(
        MenuLink(
            place=27,
            url_name="orders",
            label="Orders",
            icon="orders",
            also=("find_orders", "order", "refund_order", "resend_order", "products"),
            roles=DESK,
        ),
    ),
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

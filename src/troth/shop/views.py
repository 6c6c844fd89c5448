"""The shop in the console: HTTP only; what it shows comes from `shop.orders` and `shop.listing`. No page has a buyer's
detail: an order leads to the person's own page, where viewing them is logged (C2)."""

from uuid import UUID

from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from troth.core.errors import TrothError
from troth.kit.asking import Confirmation, asks_first
from troth.kit.paging import number_asked
from troth.kit.roles import DESK, OWNERS, actor, may
from troth.shop import listing, orders, reconciliation
from troth.shop.forms import OrderSearchForm, RefundForm
from troth.shop.models import Order


def _order(order_id: UUID) -> Order:
    row = orders.rows().filter(id=order_id).first()
    if row is None:
        raise Http404
    return row


@may(DESK)
@require_GET
def order_list(request: HttpRequest) -> HttpResponse:
    """Show the orders, newest first, 50 to a page."""
    page = orders.page(number_asked(request))
    if page.number > page.pages:
        raise Http404
    return _list(request, {"page": page, "rows": page.rows})


def _list(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    context |= {"compared": reconciliation.words(), "needs": orders.needs()}
    return render(request, "shop/orders.html", context, status=status)


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("form")
@require_POST
def find_orders(request: HttpRequest) -> HttpResponse:
    """Search orders. By POST, so that an address gets into no log and no history."""
    form = OrderSearchForm(request.POST)
    if not form.is_valid():
        return _list(request, {"problem": str(form.errors["sought"][0])}, status=422)
    rows = [orders.listed(row) for row in orders.find(actor(request), form.cleaned_data["sought"])]
    return _list(request, {"rows": rows} if rows else {"problem": "No orders found"})


@may(DESK)
@require_GET
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show an order: every amount that came or went, its disputes, and what can be done."""
    return _show(request, _order(order_id))


def _show(request: HttpRequest, row: Order, problem: str = "", status: int = 200) -> HttpResponse:
    context = {
        "order": row,
        "line": orders.line(row),
        "movements": orders.movements(row),
        "disputes": orders.disputes(row),
        "refunds": orders.refunds(row),
        "may_refund": getattr(request.user, "role", "") in OWNERS and orders.left(row) > 0,
        "problem": problem,
    }
    return render(request, "shop/order.html", context, status=status)


def _ask_refund(request: HttpRequest, order_id: UUID) -> Confirmation | None:
    row = _order(order_id)
    form = RefundForm(request.POST, row.currency)
    if not form.is_valid():
        return None
    amount = orders.shown_refund(row, form.cleaned_data["amount"])
    words = "It goes back the way the buyer paid, and cannot be called back. The buyer is told by email."
    return Confirmation(f"Refund {amount}?", words, "Refund", reverse("order", args=[row.id]))


@may(OWNERS)
@require_POST
@asks_first(_ask_refund)
def refund_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Order a refund; the worker has the card company make it."""
    row = _order(order_id)
    form = RefundForm(request.POST, row.currency)
    if not form.is_valid():
        return _show(request, row, str(form.errors["amount"][0]), 422)
    try:
        orders.refund(row, form.cleaned_data["amount"], actor(request))
    except orders.RefundRefused as refused:
        return _show(request, row, f"{refused} {refused.mend}", 409)
    flash.success(request, "The refund is on its way to the card company. Its status is shown below.")
    return redirect("order", order_id=row.id)


@may(DESK)
@require_POST
def resend_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Send the confirmation to the buyer again."""
    row = _order(order_id)
    try:
        orders.resend(row)
    except TrothError as error:
        flash.error(request, str(error))
    else:
        flash.success(request, "The confirmation is queued.")
    return redirect("order", order_id=row.id)


@may(DESK)
@require_GET
def product_list(request: HttpRequest) -> HttpResponse:
    """Show what is on sale."""
    return render(request, "shop/products.html", {"products": listing.products(), "coupons": listing.coupons()})

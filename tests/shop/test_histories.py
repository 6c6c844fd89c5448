"""Random histories: whatever is bought, refunded, disputed, and however the notices of it come twice, late, in another
order or not at all, and wherever the worker is killed, our books end as the card company's own. `make trial` tries more
of them."""

import json
import os
import random
from dataclasses import dataclass, field

import pytest

from tests.conftest import both
from tests.shop.conftest import SECRET, bought, opened, price
from tests.worker.test_intake import drain
from troth.core import clock
from troth.demo.card_company.webhooks import signed
from troth.shop import asking, orders, reconciliation
from troth.shop.entry import CardNotice, CheckoutReturn
from troth.shop.models import Movement, Order, Question, RefundOrder

HISTORIES = int(os.environ.get("TROTH_HISTORIES", "6"))
STEPS = 14
METHODS = ["success", "success", "success", "dispute_fraudulent", "inquiry", "declined"]


@dataclass
class History:
    """One random history."""

    site: object
    company: object
    adapter: object
    draw: random.Random
    waiting: list = field(default_factory=list)
    """Notices that are on their way."""
    heard: set = field(default_factory=set)
    checkouts: list = field(default_factory=list)
    began: int = 0

    def step(self):
        deeds = [self.buy, self.buy, self.refund, self.order_refund, self.dispute_ends, self.deliver, self.deliver,
                 self.deliver, self.come_back, self.work, self.work, self.fail, self.reconcile]  # fmt: skip
        self.draw.choice(deeds)()
        self.collect()

    def collect(self):
        """Each event becomes a notice: lost, once, or twice."""
        for event in self.company.client.v1.events.list({"limit": 100, "created": {"gte": self.began}}).data:
            if event.id not in self.heard:
                self.heard.add(event.id)
                self.waiting += [json.dumps(event.to_dict(), default=str)] * self.draw.choice([0, 1, 1, 2])

    def buy(self):
        sold = price(*self.draw.choice([("EUR", "single"), ("JPY", "single"), ("EUR", "team")]))
        method = self.draw.choice(METHODS)
        if method == "declined":
            self.checkouts.append(opened(self.company, sold))
        else:
            self.checkouts.append(bought(self.company, sold, method=method))

    def paid(self):
        found = [self.adapter.checkout(ident) for ident in self.checkouts]
        return [each for each in found if each.paid == "paid" and each.refunded < each.charged and not each.disputed]

    def refund(self):
        """In the card company's dashboard."""
        for checkout in self.paid()[:1]:
            left = checkout.charged - checkout.refunded
            amount = self.draw.choice([None, max(1, left // 3)])
            params = {"payment_intent": checkout.payment, **({} if amount is None else {"amount": amount})}
            self.company.client.v1.refunds.create(params)

    def order_refund(self):
        for order in Order.objects.filter(state="paid").order_by("number")[:1]:
            try:
                orders.refund(order, self.draw.choice([None, order.total // 2]), "shell")
            except orders.RefundRefused:
                return

    def dispute_ends(self):
        for dispute in self.company.client.v1.disputes.list({"limit": 100}).data:
            if dispute.status == "needs_response" and self.draw.random() < 0.5:
                self.company.client.v1.disputes.close(dispute.id)
                return

    def deliver(self):
        """Some of what is on its way arrives, in any order."""
        self.draw.shuffle(self.waiting)
        arriving = [self.waiting.pop() for _ in range(min(len(self.waiting), self.draw.randint(0, 6)))]
        now = int(clock.now().timestamp())
        self.site.submit(*(CardNotice(body.encode(), signed(body, SECRET, now)) for body in arriving))
        drain()

    def come_back(self):
        if self.checkouts:
            self.site.submit(CheckoutReturn(self.draw.choice(self.checkouts)))
            drain()

    def work(self):
        """The worker does some jobs, and may be killed before, in or after any of them."""
        for job in asking.due():
            kill = self.draw.choice(["", "", "", "claimed", "asked", "recorded"])
            if kill == "claimed":
                return
            answer = asking.ask(job)
            if kill == "asked":
                return
            asking.record(job, answer)
            if kill == "recorded":
                return

    def fail(self):
        kind = self.draw.choice(["refused", "lost_answer", "bad_gateway", "nonsense"])
        self.company.fault("answer", kind, call=self.draw.choice(["GET /v1/", "POST /v1/refunds"]))
        self.work()
        self.company.web.delete("/_control/faults")

    def reconcile(self):
        asking.reconciliation.take_events(self.adapter.events(self.began))

    def end(self):
        """A worker that runs on, and the comparison."""
        for model in (Question, RefundOrder):
            model.objects.update(next_at=clock.now())
        return reconciliation.whole(self.adapter, asking.work_off)


def company_ledger(company, adapter, checkouts):
    """What the card company's own books say of each payment: by payment, the sum of its balance without fees."""
    sums = {}
    for ident in checkouts:
        checkout = adapter.checkout(ident)
        if checkout.paid != "paid":
            continue
        total = checkout.charged - checkout.refunded
        for dispute in company.client.v1.disputes.list({"payment_intent": checkout.payment}).data:
            total += sum(move.amount for move in dispute.balance_transactions)
        sums[ident] = (checkout.total.currency.upper(), total)
    return sums


@both
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_our_books_end_as_the_companys(on_sale, company, adapter, seed):
    history = History(on_sale, company, adapter, random.Random(seed), began=int(clock.now().timestamp()) - 1)
    history.collect()
    history.waiting.clear()
    for _ in range(STEPS):
        history.step()
    report = history.end()
    assert report.differing == 0
    ours = {
        order.checkout: (order.currency, sum(row.amount for row in order.movements.all()))
        for order in Order.objects.filter(paid_at__isnull=False)
    }
    assert ours == company_ledger(company, adapter, history.checkouts)
    payments = Movement.objects.filter(kind="payment")
    assert payments.count() == len(ours) == len(set(payments.values_list("order", flat=True)))
    numbers = sorted(int(row.document[-5:]) for row in Movement.objects.exclude(document=""))
    assert numbers == list(range(1, len(numbers) + 1))
    assert not Question.objects.exists() and not RefundOrder.objects.filter(state="queued").exists()

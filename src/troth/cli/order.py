"""`troth order` and `troth reconcile`: orders, refunds, and the comparison with the card company. Shows nothing of
buyers but their country."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site, print_json
from troth.cli.progress import progress as bars
from troth.core import money
from troth.core.errors import TrothError
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.shop import asking, company, models, orders, reconciliation, statements
else:
    asking = lazy("troth.shop.asking")
    company = lazy("troth.shop.company")
    models = lazy("troth.shop.models")
    orders = lazy("troth.shop.orders")
    reconciliation = lazy("troth.shop.reconciliation")
    statements = lazy("troth.shop.statements")

order = typer.Typer(no_args_is_help=True, help="Orders: list, show, refund, send the confirmation again.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The order's number, as `troth order list` prints it.")]


@order.command("list")
def list_(
    find: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Only with this number, last four digits of the card, or email address."),
    ] = "",
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """List orders, newest first. A search for an email address is logged."""
    open_site(site)
    rows = orders.find(SHELL, find)[:most] if find else orders.rows()[:most]
    lines = [orders.line(row) for row in rows]
    if as_json:
        print_json([line.told() for line in lines])
        return
    for line in lines:
        sys.stdout.write(
            f"{line.number}  {line.created_at:%Y-%m-%d}  {line.state:<13}  {line.total:>16}  {line.country:<2}  "
            f"{line.card:<16}  {line.product}{'  (!)' if line.problem else ''}\n"
        )
    if not lines:
        sys.stdout.write("There are no such orders.\n" if find else "There are no orders.\n")


@order.command("show")
def show(number: Number, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show an order with every amount that came or went, and its disputes."""
    open_site(site)
    _show(orders.by_number(number), as_json=as_json)


@order.command("refund")
def refund(
    number: Number,
    amount: Annotated[
        str, typer.Option(metavar="AMOUNT", help="How much, such as 9.00.", show_default="all that is left")
    ] = "",
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Refund an order, in whole or in part. Exit code 1 if the card company refuses."""
    open_site(site)
    row = orders.by_number(number)
    try:
        units = money.smallest_units(amount, row.currency) if amount else None
    except money.AmountRefused as error:
        raise TrothError(str(error)) from None
    company.company()  # says what is missing before anything is ordered
    ordered = orders.refund(row, units, SHELL)
    asking.work_off()
    ordered.refresh_from_db()
    _show(orders.by_number(number), as_json=as_json)
    if ordered.state == models.RefundOrder.State.REFUSED:
        raise TrothError(f"The card company refuses the refund ({ordered.reason}).")
    if ordered.state == models.RefundOrder.State.QUEUED:
        sys.stderr.write("The card company did not answer yet. The worker goes on trying.\n")


@order.command("export")
def export(
    of: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Only this month.", show_default="all")] = "",
    site: SiteOption = Path(),
) -> None:
    """Print every amount that came or went as CSV, for the bookkeeper. No buyer is in it."""
    open_site(site)
    for line in statements.as_csv(statements.movements(*_days(of))):
        sys.stdout.write(line)


@order.command("statement")
def statement(
    of: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Which month.")],
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Print a month's sums by country and tax rate: sales, refunds, disputes, tax."""
    open_site(site)
    lines = statements.statement(statements.movements(*_days(of)))
    if as_json:
        names = ("country", "tax_rate", "currency")
        figures = ("sales", "refunds", "disputes", "total", "tax")
        print_json(
            [
                {name: getattr(line, name) for name in names}
                | {name: money.plain(getattr(line, name), line.currency) for name in figures}
                for line in lines
            ]
        )
        return
    for line in lines:
        amounts = [
            money.shown(amount, line.currency) for amount in (line.sales, line.refunds, line.disputes, line.total)
        ]
        tax = f"tax {line.tax_rate} %: {money.shown(line.tax, line.currency)}"
        sys.stdout.write(f"{line.country or '--'}  {'  '.join(f'{text:>16}' for text in amounts)}  {tax}\n")
    if not lines:
        sys.stdout.write("Nothing came or went in this month.\n")


def _days(of: str) -> tuple[date, date]:
    return statements.month(of) if of else (date(1970, 1, 2), date(9998, 1, 1))


@order.command("resend")
def resend(number: Number, site: SiteOption = Path()) -> None:
    """Send the buyer the order's confirmation again. The worker sends it; it has to run."""
    open_site(site)
    orders.resend(orders.by_number(number))
    sys.stdout.write("Queued.\n")


def _show(row: "models.Order", *, as_json: bool) -> None:
    line, movements, disputes = orders.line(row), orders.movements(row), orders.disputes(row)
    if as_json:
        print_json({**line.told(), "movements": movements, "disputes": disputes})
        return
    sys.stdout.write(f"{line.number}  {line.product}\n")
    for name in ("state", "total", "left", "country", "card", "created_at", "paid_at", "problem"):
        if value := getattr(line, name):
            sys.stdout.write(f"  {name:<10}  {value}\n")
    for movement in movements:
        sys.stdout.write(
            f"  {movement['at']:%Y-%m-%d}  {movement['kind']:<13}  {movement['amount']:>16}  {movement['document']}\n"
        )
    for dispute in disputes:
        sys.stdout.write(f"  dispute {dispute['state']}, evidence until {dispute['due_at']}\n")


def reconcile(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Compare every order with the card company, and settle what is missing. Exit code 1 if something still differs."""
    open_site(site)
    seller = company.company()
    with bars(quiet=as_json) as report:
        result = reconciliation.whole(seller, asking.work_off, lambda count: report("Comparing", count, 0))
    if as_json:
        print_json(
            {
                "new_events": result.events,
                "settled": result.settled,
                "orders": result.orders,
                "differing": result.differing,
                "at": result.at,
            }
        )
    else:
        sys.stdout.write(f"New events: {result.events}. Settled: {result.settled}. {reconciliation.words()}\n")
    if result.differing:
        raise typer.Exit(1)

"""`troth product` and `troth shop`: what is sold, and the keys to the card company. Shows no personal data."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json, site_settings, stderr
from troth.cli.progress import progress as bars
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from troth.shop import catalogue, company, keys, listing, publishing
else:
    catalogue = lazy("troth.shop.catalogue")
    company = lazy("troth.shop.company")
    keys = lazy("troth.shop.keys")
    listing = lazy("troth.shop.listing")
    publishing = lazy("troth.shop.publishing")

product = typer.Typer(no_args_is_help=True, help="Products, prices and coupons: publish and list.")
shop = typer.Typer(no_args_is_help=True, help="The keys to the card company, and where its notices come in.")


@product.command("publish")
def publish(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="What is sold (docs/shop.md).", exists=True, dir_okay=False)
    ],
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make products, prices and payment pages at the card company, as a file lists them. Repeat it if it was stopped:
    nothing is made twice."""
    text = file.read_bytes()
    settings = open_site(site)
    read, seller = catalogue.read(text, settings.shop), company.company()
    changes = catalogue.take_over(read)
    with bars(quiet=as_json) as report:
        work = publishing.publish(seller, lambda done, total: report("Publishing", done, total))
    if as_json:
        print_json({"new_prices": changes.prices_new, "published": work.published, "withdrawn": work.withdrawn})
        return
    sys.stdout.write(f"Published: {work.published}. Withdrawn: {work.withdrawn}.\n")


@product.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List products with their prices and payment pages, and coupons."""
    open_site(site)
    rows = listing.products()
    if as_json:
        print_json({"products": [row.told() for row in rows], "coupons": listing.coupons()})
        return
    for row in rows:
        sys.stdout.write(f"{row.slug}  {row.name}{'' if row.on_sale else '  (not on sale)'}\n")
        for price in row.prices:
            sys.stdout.write(f"  {price.edition:<30} {price.price:>16}  {price.state:<8}  {price.url}\n")
    for coupon in listing.coupons():
        sys.stdout.write(f"{coupon['code']}  {coupon['off']}  {coupon['state']}\n")
    if not rows:
        sys.stdout.write("There are no products. Publish some: troth product publish FILE.toml\n")


def _secret(prompt: str) -> str:
    """Return a line that was typed unseen, or that came by a pipe: never an argument, which other users could see."""
    return getpass.getpass(f"{prompt}: ") if sys.stdin.isatty() else sys.stdin.readline()


@shop.command("key")
def key(site: SiteOption = Path()) -> None:
    """Store the API key of the card company, typed or from standard input. A running worker reads it at its start."""
    settings = site_settings(site)
    restricted = keys.put_key(Site(site.resolve()), _secret("API key"))
    if not restricted:
        stderr().print("This is no restricted key (rk_): it may do anything with your account. See docs/shop.md.")
    _say_address(site, settings.site.url)


@shop.command("secret")
def secret(site: SiteOption = Path()) -> None:
    """Store the signing secret of the card company's notices, typed or from standard input. The one before stays
    valid until the next."""
    keys.put_secret(Site(site.resolve()), _secret("Signing secret"))
    sys.stdout.write("Stored.\n")


@shop.command("address")
def address(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Print the address to which the card company sends its notices."""
    settings = site_settings(site)
    if as_json:
        print_json({"address": keys.notice_address(Site(site.resolve()), settings.site.url)})
        return
    _say_address(site, settings.site.url)


def _say_address(site: Path, url: str) -> None:
    found_address = keys.notice_address(Site(site.resolve()), url)
    if not found_address:
        stderr().print("There is no address yet: run `troth shop key` first.")
        raise typer.Exit(1)
    stderr().print("Enter this address as a webhook endpoint in the card company's dashboard:")
    sys.stdout.write(f"{found_address}\n")

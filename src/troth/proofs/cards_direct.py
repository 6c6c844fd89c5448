"""Proofs of B3: a card number goes directly to the card company. May touch: the site's own front; the database (what is
on sale)."""

import re
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import form_parser, public_pages, shop_window
from troth.proofs.instruments.form_parser import PageParts
from troth.proofs.instruments.invented_cards import new_number
from troth.shop import buttons, offers
from troth.shop.published import Shop

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_CARD_FIELD = re.compile(
    r"\bcc-(?:number|csc|exp|name|type|given|additional|family)|card.{0,3}(?:num|no\b|nr\b|code|holder|data)|"
    r"(?:credit|debit|payment|bank).{0,3}card|\bcc.?(?:num|no|nr)|\bcv[cvn]2?\b|\bcsc\b|\bpan\b|security.{0,3}code|"
    r"expir(?:y|ation)|kart(?:en)?.{0,3}n(?:umme)?r|num[eé]ro.{0,6}carte|tarjeta|cart[aã]o|\bkreditkarte",
    re.IGNORECASE,
)
"""What a field for a card is called, in the languages of most forms and in HTML's own words (autocomplete)."""
_CARD_NAMES = ("card_number", "cc-number", "cardnumber", "number", "pan")


@proof("direct.fields")
def no_page_asks_for_a_card(scene: Scene) -> Verdict:
    """Check that no page of ours has a field for a card: by name, autocomplete, label or placeholder."""
    count, fields = 0, 0
    for page, text in _every_page(scene):
        parts = form_parser.parts(text)
        asks = next((word for word in parts.asked_for() if _CARD_FIELD.search(word)), None)
        if asks is not None:
            return Verdict.broken(f"The page {page} has a field for a card (“{asks[:40]}”).")
        count, fields = count + 1, fields + parts.fields
    if not fields:
        return Verdict.unproven("No page with a form was available.")
    return Verdict.kept(f"{count} pages with {fields} fields were examined; none is for a card.")


def _every_page(scene: Scene) -> Iterator[tuple[str, str]]:
    for page, answer in public_pages.pages(scene):
        yield page, answer.text
    yield from _vendors_code(scene)


def _vendors_code(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the HTML that the vendor gets to paste: a button for each price, a table for each product."""
    shop = offers.offered(scene.config)
    for product in shop.products if shop else ():
        yield f"with the table of prices of {product.slug}", buttons.pricing_table(scene.config, shop, product.slug)
    for words in _sold(shop):
        yield f"with the button of {words}", buttons.product_button(scene.config, shop, words)


def _sold(shop: Shop | None) -> list[str]:
    """Return what is on sale, as `troth embed buy` names it."""
    return [
        f"{product.slug}/{edition.slug}/{price.currency}"
        for product in (shop.products if shop else ())
        for edition in product.editions
        for price in edition.prices
        if shop and shop.may_send_to(price.url)
    ]


@proof("direct.pages")
def way_to_pay_is_plain(scene: Scene) -> Verdict:
    """Check that the pages on the way to pay, and the code for the vendor's pages, have no script, form, field or
    frame, and lead to nothing but our own links to pay and what the settings name."""
    count = 0
    for path in shop_window.pages(scene):
        answer = scene.front.get(path)
        if answer.status in (404, 429) or answer.status >= 500:
            continue
        if fault := _way_fault(scene, form_parser.parts(answer.text)):
            return Verdict.broken(f"The page {path} {fault}.")
        count += 1
    if not count:
        return Verdict.unproven("None of the pages on the way to pay was available.")
    codes = list(_vendors_code(scene))
    for page, text in codes:
        if fault := _way_fault(scene, form_parser.parts(text)):
            return Verdict.broken(f"The page of the vendor {page} {fault}.")
    return Verdict.kept(
        f"{count} pages on the way to pay and {len(codes)} pieces of code for the vendor’s pages have no script, form, "
        "field or frame."
    )


def _way_fault(scene: Scene, parts: PageParts) -> str:
    """Return what is wrong with a page on the way to pay; empty if nothing is."""
    for number, name in ((parts.scripts, "a script"), (len(parts.forms), "a form"), (parts.fields, "a field")):
        if number:
            return f"has {name}"
    if parts.frames:
        return "has a frame"
    config = scene.config
    ours = {urlsplit(config.site.url).netloc, ""}
    named = {config.shop.terms_url, config.site.policy_url} - {""}
    if any(link not in named and urlsplit(link).netloc not in ours for link in parts.links):
        return "leads to another site"
    return ""


@proof("direct.redirect")
def buyers_go_straight_to_the_card_company(scene: Scene) -> Verdict:
    """Check that each link to pay answers 303 with the very address that the card company gave, whoever asks and with
    whatever headers and query: nothing of the visitor is appended, and no page of ours lies between."""
    links, followed = shop_window.prices(scene), 0
    for link in links:
        mark = secrets.token_hex(6)
        answers = (
            scene.front.get(link.path),
            scene.front.elsewhere().get(f"{link.path}?{mark}=1&email={mark}%40example.org", _browser(mark)),
        )
        if any(answer.status in (404, 429) or answer.status >= 500 for answer in answers):
            continue  # not published yet, or not answered
        for answer in answers:
            if answer.status != 303 or not shop_window.is_company_page(scene, answer.headers.get("location", "")):
                return Verdict.broken(f"{link.path} does not send buyers to the card company ({answer.status}).")
            if answer.headers["location"] != link.page:
                return Verdict.broken(f"{link.path} leads to another address than the card company gave.")
            if {"set-cookie", "refresh", "link"} & answer.headers.keys() or mark.encode() in answer.body:
                return Verdict.broken(f"{link.path} gives the buyer’s browser more than the address.")
        followed += 1
    if links and not followed:
        return Verdict.unproven("What is on sale is not published yet.")
    if not links:
        return Verdict.kept("Nothing is on sale at the moment.")
    return Verdict.kept(
        f"{followed} links to pay lead straight to the card company’s own pages, with nothing of the visitor appended."
    )


def _browser(mark: str) -> dict[str, str]:
    return {
        "User-Agent": f"Mozilla/5.0 {mark}",
        "Referer": f"https://example.org/{mark}?mail={mark}%40example.org",
        "Origin": f"https://{mark}.example.org",
        "Cookie": f"visitor={mark}",
        "Accept-Language": f"en-x-{mark[:8]}",
        "Accept": f"text/html, */*;q=0.8;x={mark}",
    }


@proof("direct.forms")
def forms_take_no_card(scene: Scene) -> Verdict:
    """Check that every form of ours is sent to our own front, where each field is searched (B2), and that the front
    takes no card number under a name of its own: not in a form, and not on the way to pay."""
    targets = 0
    for page, answer in public_pages.pages(scene):
        for target in form_parser.targets(answer.text):
            if target and not _is_ours(scene, target):
                return Verdict.broken(f"The form on the page {page} is sent to another address.")
            targets += 1
    paths = [path for path in ("/newsletter", "/contact", "/privacy/me") if path != "/contact" or _has_contact(scene)]
    to_pay = [*shop_window.pages(scene), *(link.path for link in shop_window.prices(scene)[:3])]
    refused = 0
    for path in (*paths, *to_pay):
        number, name = new_number(), secrets.choice(_CARD_NAMES)
        answer = scene.front.elsewhere().send(path, f"{name}={number}&email=nobody".encode(), _FORM)
        scene.cards.append(number)
        if answer.status < 400 or answer.status == 422:  # 422: it found fault with other fields alone
            return Verdict.broken(f"{path} accepted a field for a card ({answer.status}).")
        if number.encode() in answer.body:
            return Verdict.broken(f"{path} returned the card number that was sent to it.")
        refused += answer.status not in (404, 429) and answer.status < 500
    if not targets or not refused:
        return Verdict.unproven("No form was available.")
    return Verdict.kept(
        f"{targets} forms are sent to this site only; {refused} addresses refused a field for a card number."
    )


def _has_contact(scene: Scene) -> bool:
    return scene.config.contact.enabled


def _is_ours(scene: Scene, target: str) -> bool:
    ours, address = urlsplit(scene.config.site.url), urlsplit(target)
    return "\\" not in target and (address.scheme, address.netloc) in (("", ""), (ours.scheme, ours.netloc))

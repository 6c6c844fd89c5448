"""Pictures of every page, at 390 and 1280 px, light and dark, into docs/screens, with a page that shows them all.

    make screens

Starts a demo of its own, walks through it, and photographs what it meets. A picture keeps its 64 commonest colours as
they are, so that no surface changes its hue, and 64 of the rare ones, so that a red word stays red; the rest, edges of
letters above all, takes the nearest. That is a third of the size.
"""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import conftest, desk, house, steps, test_rights  # noqa: E402 - after the path
from tests.browser.console import test_messages  # noqa: E402
from tools import newsletterscreens, policyscreens, visitorscreens  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
LOOKS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]
COMMON, RARE = 64, 64
_HEIGHT = {390: 844, 1280: 800}
_PEOPLE = [
    ("ada.brook@example.com", "Ada Brook"),
    ("ferris.hale@example.org", "Ferris Hale"),
    ("mina.okafor@example.net", "Mina Okafor"),
    ("tobias.lindqvist@example.com", "Tobias Lindqvist"),
    ("wilhelmina.featherstonehaugh-vandersteen@long-names.department.example.com", "Wilhelmina Featherstonehaugh"),
    ("yuki.tanabe@example.org", "Yuki Tanabe"),
]
"""Invented; at addresses that belong to nobody (RFC 2606)."""


@dataclass(frozen=True)
class Shot:
    """A page to photograph: its file's name, its words, and how to get there."""

    name: str
    words: str
    go: Callable[[Page], object]
    widths: tuple[int, ...] = (390, 1280)


def save(png: bytes, path: Path) -> None:
    """Write a picture, small."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int32) @ (1 << 16, 1 << 8, 1)
    colours, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    found = np.stack((colours >> 16, colours >> 8 & 255, colours & 255), axis=-1)
    kept = list(np.argsort(-counts, kind="stable")[:COMMON])
    far = ((found[:, None] - found[kept]) ** 2).sum(axis=-1)
    while len(kept) < min(COMMON + RARE, len(found)):
        kept.append(far.min(axis=-1).argmax())  # the one that is least like any that is kept (Gonzalez 1985)
        far = np.column_stack((far, ((found - found[kept[-1]]) ** 2).sum(axis=-1)))
    picture = Image.fromarray(far.argmin(axis=-1)[places].reshape(pixels.shape).astype(np.uint8))
    picture.putpalette(found[kept].astype(np.uint8).tobytes())
    picture.save(path, optimize=True)


def take(context: BrowserContext, shot: Shot) -> None:
    """Photograph one page in all four looks."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    looks = [look for look in LOOKS if look[0] in shot.widths]
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": _HEIGHT[width]})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if (width, scheme) == looks[0]:
            shot.go(page)
        page.mouse.move(0, 0)  # nothing is shown as hovered
        # As tall as the page: what is out of sight is not drawn by frames in it.
        tall = max(page.evaluate("document.documentElement.scrollHeight"), _HEIGHT[width])
        page.set_viewport_size({"width": width, "height": tall})
        page.wait_for_timeout(200)
        save(page.screenshot(), SCREENS / f"{shot.name}-{width}-{scheme}.png")
    page.close()
    print(f"  {shot.name}")


def fill_wrongly(page: Page) -> None:
    """A form with two things to mend."""
    page.get_by_label("Email address").fill("ada.brook@localhost")
    page.get_by_label("Name").fill("Ada Brook")
    page.get_by_role("button", name="Sign up").click()


def without_script(page: Page) -> None:
    """From here on our script is not loaded: the server's own pages are shown."""
    for name in ("**/form-*.js", "**/embed.js"):
        page.route(name, lambda route: route.abort())


def public_shots(at: house.House) -> list[Shot]:
    """What visitors see."""
    form = f"{at.front}/newsletter"

    def embedded_errors(page: Page) -> None:
        page.goto(at.vendor)
        fill_wrongly(page)
        page.locator("[data-troth-problem]").first.wait_for()

    def errors(page: Page) -> None:
        without_script(page)
        page.goto(form)
        fill_wrongly(page)
        page.get_by_role("alert").wait_for()

    def interstitial(page: Page) -> None:
        without_script(page)
        page.goto(at.vendor)
        page.get_by_label("Email address").fill("ada.brook@example.com")
        page.get_by_role("button", name="Sign up").click()
        page.get_by_role("heading", name="One more step").wait_for()

    return [
        Shot("vendor", "The sample vendor's page with the form in it", lambda page: page.goto(at.vendor)),
        Shot("vendor-errors", "The same with something to mend", embedded_errors),
        Shot("vendor-thanks", "Where the vendor sends its visitor", lambda page: page.goto(f"{at.vendor}/thanks.html")),
        Shot("newsletter", "Troth's own form", lambda page: page.goto(form)),
        Shot("newsletter-errors", "The same with something to mend", errors),
        Shot("newsletter-wait", "The slower way, without a script", interstitial),
        Shot("choices", "A visitor's choices", lambda page: page.goto(f"{at.front}/privacy/choices")),
        Shot("contact", "The contact form", lambda page: page.goto(f"{at.front}/contact")),
        Shot("vendor-contact", "The same on the vendor's page", lambda page: page.goto(f"{at.vendor}/contact.html")),
        Shot("thanks-signup", "After signing up", lambda page: page.goto(f"{at.front}/thanks/signup")),
        Shot("thanks-confirmed", "After confirming", lambda page: page.goto(f"{at.front}/thanks/confirmed")),
        Shot("thanks-left", "After leaving", lambda page: page.goto(f"{at.front}/thanks/left")),
        Shot("error-400", "A link that is not ours", lambda page: page.goto(f"{at.front}/confirm/forged")),
        Shot("error-404", "A page that is not there", lambda page: page.goto(f"{at.front}/nothing")),
    ]


def linked_shots(at: house.House) -> list[Shot]:
    """What is behind the links in a mail, and the mail itself."""
    mail = at.mail_for(_PEOPLE[-1][0])
    return [
        Shot("confirm", "Behind the link in the mail", lambda page: page.goto(mail.link("confirm"))),
        Shot("unsubscribe", "Behind the link for leaving", lambda page: page.goto(mail.link("unsubscribe"))),
        Shot("mails", "The demo's test inbox", lambda page: page.goto(at.mail)),
        Shot("mail", "A mail in it", lambda page: page.goto(f"{at.mail}/messages/{len(_PEOPLE)}")),
    ]


def too_many(at: house.House) -> Shot:
    """The last one: it uses up this address's tickets."""

    def go(page: Page) -> None:
        without_script(page)
        page.goto(f"{at.front}/newsletter")
        page.get_by_label("Email address").fill("ada.brook@example.com")
        for _ in range(400):  # tickets come back all the while
            if httpx.post(f"{at.front}/newsletter", data={"email": "x"}).status_code == 429:
                break
        page.get_by_role("button", name="Sign up").click()
        page.get_by_role("heading", name="pause").wait_for()

    return Shot("error-429", "Too many forms from one network", go)


def office_shots(at: house.House) -> list[Shot]:
    """What operators see."""

    def person(page: Page) -> None:
        steps.find(page, at, _PEOPLE[0][0])

    def not_found(page: Page) -> None:
        page.goto(f"{at.office}/people/")
        page.get_by_label("Search by email, name or phone number").fill("nobody@example.com")
        page.get_by_role("button", name="Search").click()
        page.get_by_text("No results").wait_for()

    def consent(page: Page) -> None:
        person(page)
        page.get_by_role("button", name="View consent record").click()
        page.get_by_role("heading", name="Consent record", level=1).wait_for()

    def menu(page: Page) -> None:
        page.goto(at.office)
        page.get_by_text("Menu").click()

    def code(page: Page) -> None:
        page.goto(f"{at.office}/account/app/add/")
        page.get_by_label("Six-digit code").fill("000000")
        page.get_by_role("button", name="Add app").click()
        page.get_by_role("alert").wait_for()

    def numbers(page: Page) -> None:
        page.goto(at.office)
        page.get_by_text("Show as table").click()

    def correct_wrongly(page: Page) -> None:
        person(page)
        page.get_by_role("link", name="Edit details").click()
        page.get_by_label("Email").fill("ada.brook@localhost")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("alert").wait_for()

    def erase(page: Page) -> None:
        person(page)
        page.get_by_role("link", name="Delete…").click()

    def ledger_chain(page: Page) -> None:
        page.goto(f"{at.office}/access-log/")
        page.get_by_role("button", name="Verify integrity").click()
        page.get_by_role("heading", name="The access log is intact").wait_for()

    return [
        Shot("office-today", "Today", lambda page: page.goto(at.office)),
        Shot("office-today-numbers", "The chart in numbers", numbers),
        Shot("office-menu", "The menu, where it is narrow", menu, (390,)),
        Shot("office-messages", "Messages", lambda page: page.goto(f"{at.office}/inbox/?state=all")),
        Shot("office-messages-waiting", "Open messages", lambda page: page.goto(f"{at.office}/inbox/")),
        Shot("office-thread-waiting", "A message that waits", lambda page: thread(page, at, _PEOPLE[4][0])),
        Shot(
            "office-thread-answered", "A conversation that was answered", lambda page: thread(page, at, _PEOPLE[0][0])
        ),
        Shot("office-canned", "Saved replies", lambda page: page.goto(f"{at.office}/inbox/saved-replies/")),
        Shot("office-people", "People", lambda page: page.goto(f"{at.office}/people/")),
        Shot("office-find", "Nobody has that address", not_found),
        Shot("office-person", "A person", person),
        Shot("office-correct", "Correcting, with something to mend", correct_wrongly),
        Shot("office-consent", "What they agreed to", consent),
        Shot("office-erase", "Before erasing", erase),
        Shot("office-erasures", "Deletion log", lambda page: page.goto(f"{at.office}/deletion-log/")),
        Shot("office-erasure", "A receipt", lambda page: erasure(page, at)),
        Shot("office-held", "Held mail", lambda page: page.goto(f"{at.office}/held/")),
        Shot("office-export-held", "An export that was held", lambda page: export_held(page, at)),
        Shot("office-ledger", "Access log", lambda page: page.goto(f"{at.office}/access-log/")),
        Shot("office-ledger-chain", "The chain, verified", ledger_chain),
        Shot("office-house", "System status", lambda page: page.goto(f"{at.office}/status/")),
        Shot("office-kept", "Retention", lambda page: page.goto(f"{at.office}/retention/")),
        Shot("office-operators", "Team", lambda page: page.goto(f"{at.office}/team/")),
        Shot("office-operator-add", "Add team member", lambda page: page.goto(f"{at.office}/team/add/")),
        Shot("office-account", "Account security", lambda page: page.goto(f"{at.office}/account/")),
        Shot("office-enrol", "Adding an authenticator app", lambda page: page.goto(f"{at.office}/account/app/add/")),
        Shot("office-enrol-wrong", "The same with a wrong code", code),
        Shot("office-error-404", "A page that is not there", lambda page: page.goto(f"{at.office}/nothing")),
    ]


def policy_shots(visitor: BrowserContext, office: BrowserContext, at: house.House) -> list[Shot]:
    """The policy in each of its states, and the office's pages of it."""

    def one(context: BrowserContext, name: str, words: str, go: Callable[[Page], object]) -> None:
        take(context, Shot(name, words, go))

    return [Shot(*told) for told in policyscreens.photograph(at, visitor, office, one)]


def _shot(told: visitorscreens.Told) -> Shot:
    return Shot(*told)


def thread(page: Page, at: house.House, address: str) -> None:
    """A conversation, found by whom it is with."""
    test_messages.open_thread(page, at, address)


def erasure(page: Page, at: house.House) -> None:
    """The newest receipt."""
    page.goto(f"{at.office}/deletion-log/")
    page.locator("table a").first.click()
    page.get_by_role("heading", name="Deleted", exact=True).wait_for()


def export_held(page: Page, at: house.House) -> None:
    """What an operator sees whose export stops."""
    steps.find(page, at, _PEOPLE[0][0])
    page.get_by_role("button", name="Export as HTML").click()
    page.get_by_role("status").wait_for()


def fill_the_desk(office: BrowserContext, at: house.House) -> None:
    """Two people write; one is answered with somebody else's address, which is held; somebody is erased."""
    page = office.new_page()
    words = "Does Plainbook print on the Brotherly HL-12?\n\nI have two of them, and one is old."
    test_messages.write(page, at, _PEOPLE[0][0], words)
    test_messages.write(page, at, _PEOPLE[4][0], f"Who looks after invoices? {'A long one. ' * 30}")
    thread(page, at, _PEOPLE[0][0])
    page.get_by_label("Your reply").fill(f"It does, on both. {_PEOPLE[3][0]} has one, too.")
    page.get_by_role("button", name="Send reply").click()
    page.get_by_text("Your reply is queued.").wait_for()
    export_held(page, at)
    steps.find(page, at, _PEOPLE[2][0])
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete permanently").click()
    page.get_by_role("heading", name="Deleted", exact=True).wait_for()
    for _ in range(60):
        page.goto(f"{at.office}/held/")
        if page.get_by_role("button", name="Send", exact=True).count():
            break
        page.wait_for_timeout(250)
    page.close()


def rights_shots(visitor: BrowserContext, at: house.House) -> list[Shot]:
    """What people see of their own record, up to the receipt; each page is photographed as they meet it."""
    page, (address, _) = visitor.new_page(), _PEOPLE[5]
    link = test_rights.ask(page, at, address)
    page.close()

    def erase(page: Page, last: str = "") -> None:
        page.goto(link)
        page.get_by_role("link", name="Delete my data").click()
        if last:
            page.get_by_role("button", name=last).click()
            page.get_by_role("heading", name="Your data has been deleted").wait_for()

    def kept(page: Page) -> None:
        page.goto(link)
        page.get_by_text("Decrypted in your browser").wait_for()

    return [
        Shot("rights-ask", "What is kept of me?", lambda page: page.goto(f"{at.front}/privacy/me")),
        Shot("rights-asked", "After asking", lambda page: page.goto(f"{at.front}/thanks/rights")),
        Shot("rights", "What is kept of me", kept),
        Shot("rights-erase", "Before erasing everything", erase),
        Shot("rights-erased", "Erased, with the receipt", lambda page: erase(page, "Delete permanently")),
    ]


def empty_office_shots(at: house.House) -> list[Shot]:
    """Before anybody has signed up."""
    return [
        Shot("office-today-empty", "Today, on the first day", lambda page: page.goto(at.office)),
        Shot("office-people-empty", "Nobody yet", lambda page: page.goto(f"{at.office}/people/")),
        Shot("office-held-empty", "No held mail", lambda page: page.goto(f"{at.office}/held/")),
        Shot("office-erasures-empty", "No deletions", lambda page: page.goto(f"{at.office}/deletion-log/")),
    ]


def second_operator_shots(browser: Browser, at: house.House) -> list[Shot]:
    """A new operator, from the one-time link to passkey and second step; each page is photographed as they meet it."""
    context, taken = browser.new_context(), []

    def shot(name: str, words: str, path: str, prepare: Callable[[Page], object] = lambda page: None) -> None:
        def go(page: Page) -> None:
            page.goto(path if path.startswith("http") else at.office + path)
            prepare(page)

        taken.append(Shot(name, words, go))
        take(context, taken[-1])

    def too_short(page: Page) -> None:
        page.get_by_label("New password").fill("short")
        page.get_by_role("button", name="Set password").click()
        page.get_by_role("alert").first.wait_for()

    def password(page: Page) -> None:
        page.get_by_label("Email address").fill("second@example.com")
        page.get_by_label("Password").fill(desk.PASSWORD)
        page.get_by_role("button", name="Sign in with password").click()
        page.get_by_role("heading", name="Two-factor authentication").wait_for()

    def wrong_password(page: Page) -> None:
        page.get_by_label("Email address").fill("second@example.com")
        page.get_by_label("Password").fill("not this one")
        page.get_by_role("button", name="Sign in with password").click()
        page.get_by_role("alert").wait_for()

    link = desk.new_operator(at, "Second Operator", "second@example.com")
    shot("office-password", "A new operator's link", link)
    shot("office-password-short", "The same with a password that is too short", link, too_short)
    page = context.new_page()
    desk.choose_password(page, link)
    shot("office-link-over", "A link that was used", link)
    shot("office-first-step", "The second factor is lacking", "/account/")
    desk.add_app(page, at)
    shot("office-codes", "Recovery codes", "/account/codes/")
    desk.with_authenticator(page)
    shot("office-passkey", "Adding a passkey", "/account/passkeys/add/")
    desk.add_passkey(page, at, "Laptop at the desk")
    shot("office-passkeys", "Passkeys", "/account/passkeys/")
    shot("office-account-full", "Account security, all set", "/account/")
    shot("office-change-password", "Changing the password", "/account/password/")
    shot("office-again", "Confirm it’s you before a change", "/account/confirm/")
    shot("office-remove-app", "Removing the app", "/account/app/remove/")
    context.clear_cookies()
    shot("office-wrong-password", "A wrong password", "/sign-in/", wrong_password)
    shot("office-second-step", "The second step", "/sign-in/", password)
    context.close()
    return taken


def fill_the_list(browser: Browser, at: house.House) -> None:
    """Some invented people sign up; most confirm; one leaves."""
    context = browser.new_context()
    page = context.new_page()
    for number, (address, name) in enumerate(_PEOPLE):
        steps.sign_up(page, at, address, name)
        mail = at.mail_for(address)
        if number < len(_PEOPLE) - 1:
            steps.confirm(page, mail)
        if number == 1:
            page.goto(mail.link("unsubscribe"))
            page.get_by_role("button", name="Unsubscribe").click()
            page.get_by_role("heading", name="You’re unsubscribed").wait_for()
    context.close()


def welcome(at: house.House) -> Shot:
    """What the one-time link shows; looking at it does not spend it."""
    return Shot("office-welcome", "A one-time link", lambda page: page.goto(at.sign_in))


@contextmanager
def signed_in(browser: Browser, at: house.House) -> Iterator[BrowserContext]:
    """A browser in which the operator is signed in; the first picture is of the link itself."""
    context = browser.new_context()
    take(context, welcome(at))
    page = context.new_page()
    page.goto(at.sign_in)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Today").wait_for()
    page.close()
    yield context
    context.close()


def contact_sheet(shots: list[Shot]) -> str:
    """docs/screens/README.md."""
    rows = ["# Every page", "", "Made by `make screens`. Each page at 1280 and 390 px, light and dark.", ""]
    for shot in shots:
        rows += [f"## {shot.words}", "", "| light | dark | light, narrow | dark, narrow |", "| --- | --- | --- | --- |"]
        looks = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
        files = {look: f"{shot.name}-{look[0]}-{look[1]}.png" for look in looks}
        cells = [
            f"[![{shot.words}, {look[0]} px, {look[1]}]({file})]({file})" if look[0] in shot.widths else ""
            for look, file in files.items()
        ]
        rows += [f"| {' | '.join(cells)} |", ""]
    return "\n".join(rows)


def photograph(browser: Browser, at: house.House) -> list[Shot]:
    """All of them, in an order in which none spoils the next."""
    visitor = browser.new_context()
    first = public_shots(at)
    for shot in first:
        take(visitor, shot)
    door = [
        Shot("office-sign-in", "The office's door", lambda page: page.goto(f"{at.office}/sign-in/")),
        welcome(at),
    ]
    take(visitor, door[0])
    with signed_in(browser, at) as office:
        empty = [*visitorscreens.empty(at), *newsletterscreens.empty(at)]
        early, third = [*empty_office_shots(at), *map(_shot, empty)], office_shots(at)
        for shot in early:
            take(office, shot)
        fill_the_list(browser, at)
        visitorscreens.fill(at)
        second = linked_shots(at)
        for shot in second:
            take(visitor, shot)
        fill_the_desk(office, at)
        for shot in third:
            take(office, shot)
        seventh = list(map(_shot, visitorscreens.shots(at)))
        for shot in seventh:
            take(office, shot)
        newsletter = list(map(_shot, newsletterscreens.shots(at, newsletterscreens.fill(at))))
        for shot in newsletter:
            take(office, shot)
        with visitorscreens.public() as told:
            eighth = list(map(_shot, told))
            for shot in eighth:
                take(visitor, shot)
        fifth = rights_shots(visitor, at)
        for shot in fifth:
            take(visitor, shot)
        sixth = policy_shots(visitor, office, at)
    fourth = second_operator_shots(browser, at)
    last = too_many(at)
    take(visitor, last)
    return [*first, last, *second, *fifth, *door, *third, *newsletter, *seventh, *eighth, *early, *fourth, *sixth]


def main() -> None:
    """Photograph everything anew."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    print("→ starting a demo and photographing its pages")
    with house.running() as at, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=conftest.chromium(), args=conftest.ARGUMENTS)
        for old in SCREENS.glob("*.png"):
            old.unlink()
        shots = photograph(browser, at)
        browser.close()
    (SCREENS / "README.md").write_text(contact_sheet(shots), "utf-8")
    size = sum(path.stat().st_size for path in SCREENS.glob("*.png")) // 1024
    print(f"→ {len(list(SCREENS.glob('*.png')))} pictures, {size} KiB, in {SCREENS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

"""What somebody else wrote does nothing in the operator's hands: not on a page, not in a file, not behind a button.

Every text that a visitor, an import or a statistics hit can bring is an attack (`hostile`). Then the operator opens
every page, follows every kind of link and presses every kind of button that the office has, by its own list of
addresses; and each press makes the one request that it is for.
"""

import csv
import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import Resolver404, get_resolver, resolve
from playwright.sync_api import Error, Page, Request, Response, expect

from tests import forked
from tests.browser import desk as desks
from tests.browser import hostile, steps
from tests.browser import house as houses
from tests.browser.console.test_messages import write
from tests.browser.house import TROTH

ALONE = {"statistics_now", "promises_progress", "campaign_progress", "campaign_email", "mail_template_email"}
"""Parts of pages that fetch themselves anew, and the frame with an email."""
REFRESH = {"erasure", "promises", "campaign", "mail_template", "import_preview"}
"""Pages that look again by themselves: while something goes on, or as a whole because of their frame."""
OWN = re.compile(r"account_|mfa_|welcome$|look$")
"""About nobody but the operator, and most ask for a password: opened, but no button is pressed."""
FILES = {"export_people", "export_person", "campaign_recipients_export", "receipt", "mfa_download_recovery_codes"}
"""What the office hands out as files, at least."""
NOT_OPENED = {
    "welcome", "account_login", "account_logout", "account_inactive", "account_reauthenticate", "mfa_authenticate",
    "mfa_login_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "account_change_password",
    "mfa_list_webauthn", "mfa_remove_webauthn", "mfa_activate_totp", "look",
    "campaign_add_image", "campaign_image",  # by a file chooser: test_newsletter.py
    "campaign_check_dns",  # a site on this machine has no records
    "orders", "find_orders", "order", "refund_order", "resend_order", "products",  # no shop here: shop/test_views.py
}  # fmt: skip
"""No link of a signed-in operator with this session leads there, or only a button of their own account."""
_FIND = """() => ({
  links: [...document.querySelectorAll("a[href]")].map((e, at) => [at, new URL(e.getAttribute("href"), location).href,
    e.hasAttribute("download")]),
  buttons: [...document.querySelectorAll("form button:not([type=button]), button[form]")].map((e, at) => [at,
    e.form.method, new URL(e.form.getAttribute("action") || location.href, location).href, e.name, e.value]),
})"""
_FILL = """([at, text]) => {
  const button = document.querySelectorAll("form button:not([type=button]), button[form]")[at];
  for (const one of button.form.elements) {
    const takesText = one.matches("input[type=text]:not([readonly]), input:not([type]), textarea, input[type=search]");
    if (takesText && !one.value) one.value = text.slice(0, one.maxLength > 0 ? one.maxLength : 60);
  }
}"""
_PRESS = "([what, at]) => document.querySelectorAll(what)[at].click()"
_LINKS, _BUTTONS = "a[href]", "form button:not([type=button]), button[form]"
type Kind = tuple[str, ...]


def _name(url: str) -> str:
    try:
        return resolve(urlsplit(url).path).url_name or ""
    except Resolver404:
        return ""


def _value(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|.*stray.*|\d+", "…", text, flags=re.DOTALL)


@dataclass
class Press:
    """One link or button on a page."""

    page: str
    what: str
    at: int
    method: str
    url: str
    name: str = ""
    value: str = ""
    saves: bool = False


@dataclass
class Operator:
    """Somebody who opens and presses everything, and what their browser asked for meanwhile."""

    page: Page
    office: str
    asked: list[Request] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    """Names of addresses that answered with a file."""
    attachments: int = 0
    downloads: int = 0
    names: set[str] = field(default_factory=set)
    waiting: dict[Kind, list[Press]] = field(default_factory=dict)
    done: set[Kind] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request))
        self.page.on("response", self._answered)
        self.page.on("download", self._downloaded)

    def _answered(self, answer: Response) -> None:
        if "content-disposition" in answer.headers:
            self.attachments += 1
            self.files.add(_name(answer.url))

    def _downloaded(self, download: object) -> None:
        self.downloads += 1

    # -- looking ------------------------------------------------------------------------------------------------------

    def go(self, url: str) -> None:
        """Open a page by its address."""
        self._asks_once("GET", url, lambda: self._goto(url))

    def _goto(self, url: str) -> None:
        with suppress(Error):  # a page that just then looks again by itself
            self.page.goto(url)
            return
        self.asked.clear()
        self.page.goto(url)

    def _asks_once(self, method: str, url: str, act) -> None:
        """Do it: one request is made, and it is this one."""
        self.asked.clear()
        before = self.attachments
        act()
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(500 if self.attachments > before else 50)
        if _name(self.page.url) in REFRESH:
            self.page.wait_for_timeout(200)
            self.page.wait_for_load_state("load")
        made = [
            (one.method, urlsplit(one.url).path)
            for one in self.asked
            if one.redirected_from is None and "/static/" not in one.url and _name(one.url) not in ALONE
        ]
        assert "/stray" not in " ".join(one.url for one in self.asked)
        here = [(method, urlsplit(url).path)]
        again = [one for one in made[1:] if _name(one[1]) in REFRESH]
        assert made[: len(made) - len(again)] == here, (made, url, self.page.url)
        self.names |= {_name(url), _name(self.page.url)}

    def look_round(self) -> list[Kind]:
        """Note what can be pressed here; returns what is new."""
        if not self.page.url.startswith(self.office):
            return []
        found, new = self.page.evaluate(_FIND), []
        here = self.page.url
        for at, url, saves in found["links"]:
            if url.startswith(self.office + "/") and "#" not in url:
                for query in {name for name, _ in parse_qsl(urlsplit(url).query)} or {""}:
                    new += self._note(("link", _name(url), query), Press(here, _LINKS, at, "GET", url, saves=saves))
        for at, method, url, name, value in found["buttons"]:
            if not OWN.match(_name(url)):
                kind = (method, _name(url), name, _value(value))
                new += self._note(kind, Press(here, _BUTTONS, at, method.upper(), url, name, value))
        return new

    def _note(self, kind: Kind, press: Press) -> list[Kind]:
        if kind in self.done:
            return []
        self.waiting.setdefault(kind, []).append(press)
        return [kind]

    # -- pressing -----------------------------------------------------------------------------------------------------

    def press(self, kind: Kind) -> None:
        """Press one of this kind, wherever it still is, and then what is only there afterwards."""
        for press in self.waiting.pop(kind):
            if self.page.url != press.page:
                self.go(press.page)
            at = self._where(press)
            if at is not None:
                self.done.add(kind)
                self._press(replace(press, at=at))
                return

    def _press(self, press: Press) -> None:
        if press.saves:
            self._save(press)
            return
        if press.what == _BUTTONS:
            self.page.evaluate(_FILL, [press.at, hostile.ATTACKS[0]])
        before = self.attachments
        self._asks_once(press.method, press.url, lambda: self._click(press))
        if self.attachments > before:
            return
        if _name(self.page.url) == "erasure":  # it looks again by itself until there is a receipt
            self.page.get_by_role("link", name="receipt").wait_for()
        for buttons in [one for one in self.look_round() if one[0] == "post" and one[1] not in {"search_people"}]:
            there = self.waiting.get(buttons)
            if there and there[-1].page == self.page.url != press.page:
                there.insert(0, there.pop())
                self.press(buttons)

    def _click(self, press: Press) -> None:
        with self.page.expect_response(
            lambda answer: _name(answer.url) not in ALONE and not 300 <= answer.status < 400
        ):
            self.page.evaluate(_PRESS, [press.what, press.at])
        self.page.wait_for_timeout(50)

    def _save(self, press: Press) -> None:
        """A link that says of itself that it saves: the browser fetches it beside the page, and shows no request."""
        self.asked.clear()
        with self.page.expect_download() as download:
            self.page.evaluate(_PRESS, [press.what, press.at])
        assert download.value.url == press.url
        assert [one.url for one in self.asked if _name(one.url) not in ALONE] == []
        self.names.add(_name(press.url))
        self.files.add(_name(press.url))
        self.downloads -= 1  # it is no answer that the page has seen

    def _where(self, press: Press) -> int | None:
        """Its place on the page as it is now."""
        found = self.page.evaluate(_FIND)
        if press.what == _LINKS:
            return next((at for at, url, _ in found["links"] if url == press.url), None)
        known = (press.url, press.name, press.value)
        return next((at for at, _, *told in found["buttons"] if tuple(told) == known), None)

    def look_at_campaigns(self) -> None:
        """Note what can be pressed on the page of each campaign: it differs by state."""
        for tab in ("drafts", "scheduled", "sending", "sent"):
            self.go(f"{self.office}/newsletter/?tab={tab}")
            for path in self.page.locator("table a").evaluate_all("all => all.map(a => a.getAttribute('href'))"):
                self.go(self.office + path)
                self.look_round()
                if tab == "drafts":
                    self.go(f"{self.office}{path}review/")
                    self.look_round()

    def write_a_template(self) -> None:
        """Save a template of transactional emails, whose words are hostile, too."""
        self.go(f"{self.office}/newsletter/mail-templates/new/")
        self.page.get_by_label("Name", exact=True).fill("receipt")
        self.page.get_by_label("Subject", exact=True).fill(hostile.ATTACKS[1][:200])
        self.page.get_by_label("Text", exact=True).fill(f"`{hostile.ATTACKS[1]}`")
        self.page.get_by_role("checkbox", name="Details in the text may be sent to everybody").check()
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_role("heading", name="Edit template")).to_be_visible()
        self.look_round()

    def draft_from_a_feed(self) -> None:
        """Make a draft of posts whose titles and texts are hostile, too."""
        self.go(f"{self.office}/newsletter/feed/")
        posts = "".join(
            f"<item><title>{escape(attack)}</title><link>https://example.com/{number}</link>"
            f"<description>{escape(attack)}</description></item>"
            for number, attack in enumerate(hostile.ATTACKS)
        )
        feed = f'<rss version="2.0"><channel><title>{escape(hostile.ATTACKS[1])}</title>{posts}</channel></rss>'
        self.page.get_by_label("Or its text").fill(feed)
        self.page.get_by_role("button", name="Show posts").click()
        expect(self.page.get_by_role("heading", name="Choose posts")).to_be_visible()
        self.look_round()
        with self.page.expect_request(lambda request: _name(request.url) == "campaign_feed_items"):
            self.page.get_by_role("button", name="Create draft").click()
        self.names.add("campaign_feed_items")
        expect(self.page.get_by_role("heading", name="Edit campaign")).to_be_visible()
        self.look_round()

    def import_a_list(self, file: Path) -> None:
        """Upload a list whose column names, topics and cells are hostile, too."""
        head, tags = (attack[:60].replace('"', "'") for attack in hostile.ATTACKS[:2])
        row = ",".join(
            f'"{cell}"' for cell in ("uploaded@example.com", hostile.ATTACKS[0].replace('"', '""'), tags, head)
        )
        file.write_text(f'email,name,tags,"{head}"\n{row}\n', "utf-8")
        for then in ("Discard the file", "Check again"):
            self.go(f"{self.office}/people/import/")
            self.page.get_by_label("File", exact=True).set_input_files(file)
            self.page.get_by_label("Consent sentence").fill(hostile.ATTACKS[1][:200])
            self.page.get_by_label("Date of consent").fill("2026-01-02")
            self.page.get_by_role("button", name="Check the file").click()
            expect(self.page.get_by_role("button", name="Import 1 person")).to_be_visible()
            self.page.get_by_role("button", name=then).click()
        self.names |= {"import_preview", "import_discard", "import_check"}
        expect(self.page.get_by_role("button", name="Import 1 person")).to_be_visible()
        self.look_round()

    def press_everything(self) -> None:
        """Until nothing is left: links first, so that every page is known before anything changes. A person is deleted
        last."""
        self.go(f"{self.office}/")
        self.look_round()
        while self.waiting:
            self.press(
                min(
                    self.waiting,
                    key=lambda kind: (kind[1] == "delete_person", kind[0] != "link", kind[0] != "get", kind),
                )
            )


def _troth(house, *words: str) -> None:
    forked.run(TROTH[-1], *words, "--site", house.site, env=os.environ, timeout=60).check_returncode()


@pytest.fixture(scope="module")
def besieged(tmp_path_factory):
    """A demo of its own, in which every text that somebody else may bring is an attack."""
    with houses.running() as house:
        file = hostile.people_file(tmp_path_factory.mktemp("hostile") / "people.csv")
        _troth(house, "people", "import", str(file), "--consent", "Yes.", "--consent-date", "2026-01-02")
        environment = {**os.environ, "TROTH_SITE": str(house.site)}
        subprocess.run([sys.executable, "-m", "tests.browser.hostile"], env=environment, check=True, timeout=600)
        with (house.site / "policy.md").open("a") as policy:
            policy.write(f"\n{hostile.ALL}\n")
        yield house


def test_nothing_that_others_wrote_makes_the_operators_browser_ask_for_anything(
    browser, watch, page, besieged, tmp_path
):
    steps.sign_up(page, besieged, "signed-up@example.com", hostile.ATTACKS[1])
    write(page, besieged, "wrote@example.com", hostile.ALL)
    besieged.mail_for("signed-up@example.com")  # by then both are filed
    watch.expected += ["status of 4", "Content Security Policy"]
    context = browser.new_context()
    watch.over(context)
    operator = Operator(context.new_page(), besieged.office)
    operator.page.goto(besieged.sign_in)
    operator.page.get_by_role("button", name="Sign in").click()
    desks.add_app(operator.page, besieged)
    operator.look_at_campaigns()
    operator.write_a_template()
    operator.draft_from_a_feed()
    operator.import_a_list(tmp_path / "uploaded.csv")
    operator.press_everything()
    exported = tmp_path / "list.csv"
    _troth(besieged, "people", "list", "--export", str(exported))
    with exported.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) > len(hostile.ATTACKS)
    _troth(besieged, "people", "import", str(exported), "--update", "--skip-bad", "--consent", "Yes.",
           "--consent-date", "2026-01-02")  # fmt: skip
    for path in ("/people/", "/people/?state=confirmed", "/", "/held/", "/access-log/", "/status/"):
        operator.go(besieged.office + path)

    names = {pattern.name for pattern in get_resolver("troth.office.urls").url_patterns}
    assert names - operator.names - NOT_OPENED - ALONE == set(), "never opened or pressed"
    assert operator.files >= FILES
    assert operator.attachments == operator.downloads, "what is sent as a file is saved as one"
    operator.page.goto(f"{besieged.office}/inbox/saved-replies/")
    expect(operator.page.get_by_text("stray", exact=True)).to_have_count(0)
    context.close()

"""A proof of C3 about pages: visiting a page tells no third party about it. May touch: the site's own front."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from troth.gate.loopback.front_client import FrontAnswer
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_visit, public_pages
from troth.proofs.instruments.encodings import forms

_LOADS = {"src", "srcset", "poster", "data", "background", "action", "formaction", "ping", "manifest"}
_STYLE = re.compile(r"url\(|@import", re.IGNORECASE)
_IDENTIFYING = frozenset({"set-cookie", "etag"})
"""Headers that could identify a returning browser."""


class _RequestReader(HTMLParser):
    """Collects the URLs that a page makes a browser load or send to."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in attributes.items() if name in _LOADS]
        if tag in {"link", "base"} and "href" in attributes:
            self.addresses.append(attributes["href"])
        if "refresh" in attributes.get("http-equiv", "").lower():
            self.addresses.append(attributes.get("content", "").partition("=")[2])
        if _STYLE.search(attributes.get("style", "")):
            self.addresses.append("//style")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style" and _STYLE.search(data):
            self.addresses.append("//style")


@proof("shared.pages")
def pages_load_nothing_foreign(scene: Scene) -> Verdict:
    """Check that no public page sets a cookie or may load anything from another site, and that no response to a
    canary's form redirects to a URL with their details."""
    count = 0
    for page, answer in public_pages.pages(scene):
        if answer.status >= 500 or answer.status == 429:
            return Verdict.unproven(f"The page {page} returned status {answer.status}.")
        fault = _fault(scene, answer)
        if fault:
            return Verdict.broken(f"The page {page} {fault}.")
        count += 1
    call = canary_visit.called(scene)
    if call.trouble:
        return Verdict.unproven(call.trouble)
    patterns = [form for form in forms(scene.caller.texts())]
    if any(form in f"{name}: {value}".encode() for name, value in call.headers for form in patterns):
        return Verdict.broken("The response to a form redirects to a URL that contains what was entered.")
    return Verdict.kept(
        f"{count} pages set no cookies and load nothing from other sites; no URL contains personal details."
    )


def _fault(scene: Scene, answer: FrontAnswer) -> str:
    identifying = sorted(_IDENTIFYING & set(answer.headers))
    if identifying:
        return f"has a header that could identify a returning browser: {', '.join(identifying)}"
    if not _is_closed(answer.headers.get("content-security-policy", "")):
        return "lets a browser load content from other sites"
    if answer.headers.get("referrer-policy") != "no-referrer":
        return "lets a browser send a referrer to other sites"
    reader = _RequestReader()
    reader.feed(answer.text)
    ours = {"", urlsplit(scene.config.site.url).netloc}
    if any(urlsplit(address.strip()).netloc not in ours for address in reader.addresses):
        return "loads content from another site, or sends data there"
    return ""


def _is_closed(policy: str) -> bool:
    """Return whether a Content-Security-Policy allows nothing from another site. Form targets are exempt: forms return
    to the vendor's own page."""
    parts = [part.split() for part in policy.split(";") if part.strip()]
    rules = {words[0]: words[1:] for words in parts if words[0] != "form-action"}
    return rules.get("default-src") == ["'none'"] and all(
        source in {"'self'", "'none'"} for sources in rules.values() for source in sources
    )

"""One published generation, with everything that follows from it made ready: keys, headers, style sheet, allow-lists.
Replaced whole; a request sees one from beginning to end. May read: this package's `static/`."""

import json
import uuid
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from troth.audience.script import script
from troth.core.same_site import apart
from troth.core.signed_links import LinkVerifier
from troth.front.forms import contact, labels, newsletter, rights
from troth.front.forms.form import Form
from troth.front.forms.proof_of_work import ProofOfWork
from troth.front.http import headers, theme
from troth.front.http.rate_limit import Buckets
from troth.front.http.trusted_proxies import Caller, Proxies
from troth.front.published import Audience, Published
from troth.vault.envelope import SealingKey

_STATIC = Path(__file__).parent / "static"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_STYLE = (_STATIC / "front.css").read_text()
_RIGHTS_SCRIPT = (_STATIC / "rights.js").read_bytes()
_THANKS = {name: labels.THANKS[thanks] for name, thanks in (("newsletter", "signup"), ("contact", "message"))}
SCRIPT = (_STATIC / "form.js").read_bytes().replace(b"THANKS = {}", b"THANKS = " + json.dumps(_THANKS).encode())
"""The script for our own form and for the vendor's page alike; it says the same thanks as our own page."""
ICON = (_STATIC / "icon.svg").read_bytes()


@dataclass(frozen=True, slots=True)
class Asset:
    """A file served from memory."""

    name: str
    kind: str
    data: bytes

    @classmethod
    def of(cls, stem: str, suffix: str, kind: str, data: bytes) -> "Asset":
        """Return an asset whose name changes with its content."""
        return cls(f"{stem}-{sha256(data).hexdigest()[:16]}.{suffix}", kind, data)


POLICY_STYLE = Asset.of("policy", "css", "text/css; charset=utf-8", (_STATIC / "policy.css").read_bytes())
"""How the policy looks, on our own page and on the vendor's alike."""

STATISTICS_STYLE = Asset.of("statistics", "css", "text/css; charset=utf-8", (_STATIC / "statistics.css").read_bytes())


_HIT_OWN = {b"cross-origin-resource-policy": b"cross-origin"}
"""What differs in the answer to a hit: the vendor's page may load the pixel."""


class Countries(Protocol):
    """Where an address is from."""

    def of(self, address: str) -> str:
        """Return two letters (ISO 3166-1), or nothing."""
        ...


class Snapshot:
    """What the front goes by just now. Raises `ValueError` where a key or an address makes no sense."""

    def __init__(self, published: Published, secrets: dict[str, str], countries: Countries | None = None) -> None:
        self.published, self.prefix, self.forms = published, published.prefix, forms(published)
        site = uuid.UUID(bytes=published.site_id)
        self.sealing = SealingKey(site, published.epoch, published.sealing_key)
        self.links = LinkVerifier(site, published.link_keys)
        self.work = ProofOfWork(bytes.fromhex(secrets["altcha"]), published.proof_of_work, published.wait_seconds)
        self.proxies = Proxies(published.trusted_proxies, bytes.fromhex(secrets["buckets"])[:64])
        self.origins = frozenset(origin(url) for form in self.forms.values() for url in form.back)
        self.own = frozenset({origin(published.url), *self.origins})
        """The origins of our own pages, and of those that a form returns to."""
        self.hosts = frozenset(published.audience.hosts) if published.audience else frozenset[str]()
        self.host = urlsplit(published.url).hostname or ""
        self.apart = apart(self.host, self.hosts)
        """Hosts of pages that are counted, from which browsers may not bring along a choice that is made here."""
        self._choosing = hashed(b"troth choices", bytes.fromhex(secrets["buckets"]))
        self.headers = headers.all_of(sorted(self.origins), strict_transport=published.url.startswith("https:"))
        self.countries = countries
        self.hit_headers = [(name, _HIT_OWN.get(name, value)) for name, value in self.headers]
        style = theme.variables(published.accent, published.wait_seconds) + _STYLE
        self.style = Asset.of("front", "css", "text/css; charset=utf-8", style.encode())
        self.script = Asset.of("form", "js", _JAVASCRIPT, SCRIPT)
        self.rights_script = Asset.of("rights", "js", _JAVASCRIPT, _RIGHTS_SCRIPT)
        self.count_script = _count_script(published.audience) if published.audience else None
        """What counts visits to the vendor's pages; None: nothing is counted."""
        self.icon = Asset.of("icon", "svg", "image/svg+xml", ICON)
        self.policy_style = POLICY_STYLE
        self.statistics_style = STATISTICS_STYLE
        files = (self.style, self.script, self.rights_script, self.icon, self.policy_style, self.statistics_style)
        self.assets = {asset.name: asset for asset in files}

    def buckets(self, before: "Snapshot | None", held: Buckets | None) -> Buckets:
        """Return the token buckets under this generation: those before, unless the operator changed their size."""
        mine = (self.published.burst, self.published.refill_seconds)
        if held and before and (before.published.burst, before.published.refill_seconds) == mine:
            return held
        return Buckets(*mine)

    def ticket(self, caller: Caller) -> str:
        """What a form of ours carries to show that it is ours, where a browser cannot: another site's page can read
        none, and one that its server was given is for that server's address."""
        return hashed(caller.bucket, self._choosing).hex()

    def path(self, suffix: str) -> str:
        """Return a path on this site, for links and redirects. Never made from a Host header."""
        return f"{self.prefix}/{suffix}"

    def rest(self, path: str) -> str:
        """Return what of a path lies under this site, slash and all; empty where it lies elsewhere. Undoes `path`."""
        under = (self.prefix, *self.published.prefixes_before)
        return next((path.removeprefix(prefix) for prefix in under if path.startswith(f"{prefix}/")), "")


def hashed(data: bytes, key: bytes) -> bytes:
    """Return sixteen bytes that only who has the key can make of `data`."""
    return blake2b(data, key=key[:64], digest_size=16).digest()


def _count_script(plan: Audience) -> Asset:
    return Asset.of("t", "js", _JAVASCRIPT, script(plan.parameters, hash_routes=plan.hash_routes))


def forms(published: Published) -> dict[str, Form]:
    """Return the forms of this site, by name. One that the operator turned off is not among them."""
    all_forms = (newsletter.form(published), contact.form(published), rights.form(published))
    return {form.name: form for form in all_forms if form is not None}


def origin(url: str) -> str:
    """Return the origin of an http(s) URL as browsers write it (RFC 6454, section 6.1). Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address in `return_urls` must begin with https:// or http://")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")

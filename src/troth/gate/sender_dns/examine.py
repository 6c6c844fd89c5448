"""Examines the sender's DNS records: whether mail servers would take email from this site for genuine.

SPF (RFC 7208) of the envelope's domain, which is the sender's; the DKIM key (RFC 6376, section 3.6.2) that verifies our
signatures; DMARC (RFC 7489, section 6) of the domain in From. Each check names the record to publish. Touches nothing
but the name servers that it is given.
"""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from troth.core.config.sections import Config
from troth.core.networks import is_loopback
from troth.core.text.terminal import steers
from troth.gate import message
from troth.gate.doors import mail_relays
from troth.gate.sender_dns import spf
from troth.gate.sender_dns.name_server import NameServers, NotAnswered

type RecordState = Literal["ok", "warn", "wrong", "unknown"]
"""`wrong`: email would be refused, or taken for forged. `unknown`: it could not be checked."""
_ASK_PROVIDER = "Ask its provider for the `include:` that stands for its machines, and see that the record has it."
_AGAIN = "Check again later; if it stays so, set `dns_server` under [mail]."


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """What was found out about one record."""

    kind: str
    """`SPF`, `DKIM` or `DMARC`."""
    state: RecordState
    what: str
    mend: str = ""
    name: str = ""
    """Of the TXT record to publish; empty where there is nothing to do."""
    value: str = ""

    @property
    def record(self) -> str:
        """Return the record to publish, as one line; empty where there is nothing to do."""
        return f'{self.name}  TXT  "{self.value}"' if self.name else ""


@dataclass(frozen=True, slots=True)
class SenderSetup:
    """What a check depends on, from the settings and the DKIM key."""

    domain: str
    """The sender's, in the envelope and in From."""
    relay: str
    """Host name or address of the SMTP server."""
    site_host: str
    dkim_record: tuple[str, str] | None
    """Name and value of the record for our own key; None where we have none and sign nothing."""
    further: tuple[str, ...] = ()
    """Host names or addresses of the other SMTP servers that emails may leave by."""

    @classmethod
    def of(cls, config: Config, dkim_record: tuple[str, str] | None) -> "SenderSetup":
        """Return the setup of these settings."""
        domain = message.recipient(config.mail.sender).domain
        host = urlsplit(config.site.url).hostname or ""
        first, *further = (door.host for door in mail_relays(config))
        return cls(domain, first, host, dkim_record, tuple(further))


def examine(setup: SenderSetup, names: NameServers) -> list[RecordCheck]:
    """Return one check each for SPF, DKIM and DMARC, in this order, and one for SPF of each further relay. Takes a
    minute at most."""
    checks: Mapping[str, Callable[[SenderSetup, NameServers], RecordCheck]]
    checks = {"SPF": _spf, "DKIM": _dkim, "DMARC": _dmarc}
    results = [_checked(kind, check, setup, names) for kind, check in checks.items()]
    try:
        return [*results, *_spf_of_further(setup, names)]
    except NotAnswered as refusal:
        hosts = ", ".join(setup.further)
        problem = f"Whether the SPF record allows {hosts} could not be checked: {refusal}."
        return [*results, RecordCheck("SPF", "unknown", problem, _AGAIN)] if setup.further else results


def _checked(
    kind: str,
    check: Callable[[SenderSetup, NameServers], RecordCheck],
    setup: SenderSetup,
    names: NameServers,
) -> RecordCheck:
    try:
        return check(setup, names)
    except NotAnswered as refusal:
        return RecordCheck(kind, "unknown", f"The {kind} record could not be checked: {refusal}.", _AGAIN)


# -- SPF --------------------------------------------------------------------------------------------------------------


def _spf(setup: SenderSetup, names: NameServers) -> RecordCheck:
    domain = setup.domain
    texts = [text for text in spf.records(names.texts(domain)) if not any(map(steers, text))]
    publish = _merged(texts, setup)
    if not texts:
        words = "Publish this record, with what the SMTP server’s provider asks for."
        return RecordCheck("SPF", "wrong", f"{domain} has no SPF record.", words, domain, publish)
    if len(texts) > 1:
        problem = f"{domain} has {len(texts)} SPF records, so none of them counts."
        return RecordCheck("SPF", "wrong", problem, "Replace them by this one.", domain, publish)
    try:
        record = spf.parse(texts[0])
    except spf.SpfFault as fault:
        problem = f"The SPF record of {domain} does not count: {fault}."
        return RecordCheck("SPF", "wrong", problem, f"Correct it; now it is: {texts[0]}")
    if not record.names_somebody:
        problem = f"The SPF record of {domain} says that no machine may send."
        return RecordCheck("SPF", "wrong", problem, "Replace it by this one.", domain, publish)
    return _spf_of_relay(setup, record, publish, names)


def _spf_of_relay(setup: SenderSetup, record: spf.SpfRecord, publish: str, names: NameServers) -> RecordCheck:
    """Check the record as a receiver does: for the relay's addresses, or one that it does not name."""
    places = [] if is_loopback(setup.relay) else _addresses(setup.relay, names)
    try:
        results = [spf.check(setup.domain, ipaddress.ip_address(place), names) for place in places or ["203.0.113.1"]]
    except spf.SpfFault as fault:
        problem = f"The SPF record of {setup.domain} may not count: {fault}."
        return RecordCheck("SPF", "warn", problem, "Shorten or correct it.")
    if "pass" in results and places:
        return RecordCheck("SPF", "ok", f"{setup.domain} has an SPF record, and it names {setup.relay}.")
    if places and not record.delegates:
        problem = f"The SPF record of {setup.domain} does not name the SMTP server {setup.relay}."
        mend = "Unless it sends from other machines that are named, publish this one."
        return RecordCheck("SPF", "warn", problem, mend, setup.domain, publish)
    if not setup.further:
        return RecordCheck("SPF", "ok", f"{setup.domain} has an SPF record. {_not_known(setup, places)}")
    # Of several SMTP servers, nothing says whose machines an `include:` stands for.
    return RecordCheck("SPF", "unknown", _not_known(setup, places), _ASK_PROVIDER)


def _not_known(setup: SenderSetup, places: list[str]) -> str:
    """Say why it cannot be known whether the record allows the relay to send."""
    if is_loopback(setup.relay):
        return (
            "Whether it names the public address of this machine, where the SMTP server is, was not checked: that "
            "address is not in the settings."
        )
    if not places:
        return f"Whether it names the SMTP server {setup.relay} is not known: that name has no address in DNS."
    return (
        f"Whether it allows the SMTP server {setup.relay} is not known: no address of that name is in it, but it "
        "leaves part of the answer to other domains, and providers send from other machines than they take email at."
    )


def _spf_of_further(setup: SenderSetup, names: NameServers) -> list[RecordCheck]:
    """Return one check for each further relay, where the record itself can be used."""
    texts = spf.records(names.texts(setup.domain))
    try:
        record = spf.parse(texts[0]) if len(texts) == 1 and not any(map(steers, texts[0])) else None
    except spf.SpfFault:
        record = None
    if record is None or not record.names_somebody:
        return []  # the first check says so
    publish = _merged(texts, setup)
    return [_spf_of_relay(replace(setup, relay=host), record, publish, names) for host in setup.further]


def _addresses(host: str, names: NameServers) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return names.addresses(host)


def _relay_term(relay: str, site_host: str) -> str:
    """Return the mechanism that names a relay; of one on this machine, the host that visitors reach."""
    host = site_host if is_loopback(relay) else relay
    try:
        return f"ip{ipaddress.ip_address(host).version}:{host}"
    except ValueError:
        return f"a:{host}"


def _merged(texts: list[str], setup: SenderSetup) -> str:
    """Return one SPF record of all terms, with one for each relay before the last; softfail where the rest was not
    decided."""
    relays = [_relay_term(relay, setup.site_host) for relay in (setup.relay, *setup.further)]
    terms = [part for text in sorted(texts) for part in text.split(" ")[1:] if part]
    last = [part for part in terms if part.lstrip("+-~?").lower() == "all" or part.lower().startswith("redirect=")]
    rest = dict.fromkeys([part for part in terms if part not in last] + relays)
    decided = len(set(last)) == 1 and len(last) < len(terms)
    return " ".join(["v=spf1", *rest, last[0] if decided else "~all"])


# -- DKIM -------------------------------------------------------------------------------------------------------------


def _dkim(setup: SenderSetup, names: NameServers) -> RecordCheck:
    if setup.dkim_record is None:
        mend = "Make a key (docs/mail.md), unless your SMTP server signs for your domain."
        return RecordCheck("DKIM", "warn", "Emails are not signed by Troth.", mend)
    name, value = setup.dkim_record
    texts = [text for text in names.texts(name) if text.strip()]
    if not texts:
        return RecordCheck("DKIM", "wrong", f"There is no DKIM record at {name}.", "Publish this record.", name, value)
    if len(texts) > 1:
        problem = f"There are {len(texts)} DKIM records at {name}, and a mail server may use any."
        return RecordCheck("DKIM", "wrong", problem, "Replace them by this one.", name, value)
    fault, doubt = _key_fault(tags(texts[0]), tags(value)["p"])
    if fault:
        problem = f"The DKIM record at {name} {fault}."
        return RecordCheck("DKIM", "wrong", problem, "Replace it by this one.", name, value)
    if doubt:
        return RecordCheck(
            "DKIM", "warn", f"The DKIM record at {name} {doubt}.", "Replace it by this one.", name, value
        )
    return RecordCheck("DKIM", "ok", f"The DKIM record at {name} matches the key that signs.")


def _key_fault(tag: Mapping[str, str], own_key: str) -> tuple[str, str]:
    """Return what makes our signatures fail by this record, and else what weakens them."""
    if tag.get("v", "DKIM1") != "DKIM1" or "p" not in tag:
        return "is not valid", ""
    if not tag["p"]:
        return "revokes the key", ""
    if tag.get("k", "rsa") != "rsa" or _numbers(tag["p"]) != _numbers(own_key):
        return "has another key than the one that signs", ""
    if "sha256" not in tag.get("h", "sha256").lower().split(":"):
        return "does not allow SHA-256", ""
    if not {"*", "email"} & set(tag.get("s", "*").lower().split(":")):
        return "is not for email", ""
    return "", "says that signatures are a test (`t=y`)" if "y" in tag.get("t", "").lower().split(":") else ""


def _numbers(text: str) -> rsa.RSAPublicNumbers | None:
    """Return the RSA key in a record; None where there is none."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key.public_numbers() if isinstance(key, rsa.RSAPublicKey) else None


def tags(text: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record, without white space inside (RFC 6376, section 3.2)."""
    pairs = [part.partition("=") for part in text.split(";")]
    return {name.strip(): "".join(value.split()) for name, equals, value in pairs if equals}


# -- DMARC ------------------------------------------------------------------------------------------------------------


def _dmarc(setup: SenderSetup, names: NameServers) -> RecordCheck:
    place, texts = _dmarc_records(setup.domain, names)
    own = f"_dmarc.{setup.domain}"
    if not texts:
        problem = f"{setup.domain} has no DMARC record, which large mailbox providers require."
        return RecordCheck("DMARC", "wrong", problem, "Publish this record.", own, "v=DMARC1; p=none")
    if len(texts) > 1:
        problem = f"There are {len(texts)} DMARC records at {place}, so none of them counts."
        return RecordCheck("DMARC", "wrong", problem, "Keep one of them.", place, "v=DMARC1; p=none")
    tag = tags(texts[0])
    policy = (tag.get("sp") if place != own else "") or tag.get("p", "")
    if policy.lower() not in ("none", "quarantine", "reject"):
        problem = f"The DMARC record at {place} says no policy (`p=`)."
        return RecordCheck("DMARC", "wrong", problem, "Publish this record.", place, "v=DMARC1; p=none")
    strict = tag.get("adkim", "r").lower() == "s"
    signs = _signing_domain(setup)
    if signs and not aligned(setup.domain, signs, strict=strict):
        how = "with exactly that domain (`adkim=s`)" if strict else "with that domain or a parent"
        problem = f"DKIM signs for {signs}, but {place} requires a signature for {setup.domain}, {how}."
        mend = f'Set `dkim_domain` under [mail] to "{setup.domain}" and publish the DKIM record for it.'
        return RecordCheck("DMARC", "warn" if policy.lower() == "none" else "wrong", problem, mend)
    return RecordCheck("DMARC", "ok", f"{setup.domain} has a DMARC record, and emails are aligned with it.")


def _signing_domain(setup: SenderSetup) -> str:
    return setup.dkim_record[0].partition("._domainkey.")[2] if setup.dkim_record else ""


def aligned(sender: str, signs: str, *, strict: bool = False) -> bool:
    """Return whether a signature for `signs` counts for email from `sender` (RFC 7489, section 3.1.1).

    Relaxed: for the same domain, or where one is below the other. Two domains side by side under a third are not taken
    for aligned: whether they belong together, only a list of public suffixes could say.
    """
    sender, signs = sender.lower(), signs.lower()
    if strict or sender == signs:
        return sender == signs
    return sender.endswith(f".{signs}") or signs.endswith(f".{sender}")


def _dmarc_records(domain: str, names: NameServers) -> tuple[str, list[str]]:
    """Return where DMARC is published for a domain, and the records there: its own, or else of the nearest parent.

    RFC 7489 (section 6.6.3) looks at the organisational domain alone; each parent but a top-level domain is asked here.
    """
    for parent in _parents(domain):
        place = f"_dmarc.{parent}"
        texts = [text for text in names.texts(place) if text.replace(" ", "").startswith("v=DMARC1")]
        if texts:
            return place, texts
    return f"_dmarc.{domain}", []


def _parents(domain: str) -> Iterator[str]:
    """Yield the domain and those above it that have a dot."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])

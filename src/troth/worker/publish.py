"""What the worker tells the front: the site as the operator set it, the public keys, the form. May touch: writes
`public/`, reads and makes keys in `keys/seal/`."""

import secrets
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.conf import settings
from msgspec.structs import replace

from troth.audience.counting import referrer_spam
from troth.audience.public import page
from troth.audience.public.disclosure import StatisticsPage
from troth.audience.services import names_known
from troth.core import clock
from troth.core.config.sections import Config
from troth.core.disk import sync_folder, write_synced
from troth.core.epochs import ends_at, epoch_of
from troth.core.errors import TrothError
from troth.core.text.language_tags import usual
from troth.front import published
from troth.front.published import Audience, ContactForm, NewsletterForm, Published
from troth.newsletter import archive, consent_texts, topics
from troth.newsletter.published import OfferedTopic
from troth.policy import publish as fronting
from troth.shop import offers
from troth.vault import signing_keys
from troth.vault.envelope import OpeningKey
from troth.vault.keeper import read_site_id


def ensure_key(epoch: int) -> bytes:
    """Return the private sealing key of `epoch`; if there is none, make it, synced before it has a name."""
    folder: Path = settings.TROTH_SITE.seal_keys
    path = folder / f"{epoch}.key"
    check_key(epoch)
    if path.exists():
        return path.read_bytes()
    fresh = folder / f".{epoch}.new"
    write_synced(fresh, OpeningKey.generate(), mode=0o600)
    fresh.rename(path)
    sync_folder(folder)
    return path.read_bytes()


def check_key(epoch: int) -> None:
    """Check that the key of `epoch` is here, if fronts seal for it: a new one opens nothing. Raises `TrothError`."""
    name = f"keys/seal/{epoch}.key"
    try:
        in_force = published.load(settings.TROTH_SITE.public)
        if in_force is None or in_force.epoch != epoch:
            return
        private = (settings.TROTH_SITE.seal_keys / f"{epoch}.key").read_bytes()
        good = OpeningKey(uuid.UUID(bytes=in_force.site_id), epoch, private).public == in_force.sealing_key
    except published.PublishedError:
        return
    except (FileNotFoundError, ValueError):
        good = False
    if not good:
        raise TrothError(
            f"{name} is missing, or isn't the key that forms are encrypted for.",
            mend="Restore keys/seal/ from your backup. If it is lost for good, remove public/current: a new key is "
            "created, and what waits in spool/ under the old one can never be decrypted.",
        )


def wanted(config: Config, generation: int, in_force: Published | None = None) -> Published:
    """Return what should be in force now. `in_force`: what is; it remembers under which paths we were found earlier."""
    site_id, epoch = read_site_id(settings.TROTH_SITE), epoch_of(clock.now())
    return Published(
        generation=generation,
        site_id=site_id.bytes,
        site_name=config.site.name,
        url=config.site.url,
        prefix=config.site.prefix,
        prefixes_before=_prefixes_before(config.site.prefix, in_force),
        privacy_url=config.site.policy_url,
        accent=config.site.accent,
        epoch=epoch,
        sealing_key=OpeningKey(site_id, epoch, ensure_key(epoch)).public,
        link_keys=signing_keys.public_link_keys(),
        form=NewsletterForm.of(
            config.newsletter, consent_texts.others(config.newsletter.consent), _offered(), config.translation
        ),
        contact=ContactForm.of(config.contact) if config.contact.enabled else None,
        privacy=fronting.fronted(),
        statistics=_statistics(),
        security=security_txt(config, clock.now()),
        audience=_audience(config) if config.audience.enabled else None,
        archive=archive.update(in_force.archive if in_force else None),
        shop=offers.offered(config),
        trusted_proxies=list(config.front.trusted_proxies),
        burst=config.front.burst,
        refill_seconds=config.front.refill_seconds,
        keys_days=config.backup.keys_days,
        proof_of_work=config.front.proof_of_work,
        wait_seconds=config.front.wait_seconds,
    )


def _offered() -> list[OfferedTopic]:
    return [
        OfferedTopic(number=topic.number, name=topic.name, description=topic.description)
        for topic in topics.public_topics()
    ]


def _keep_sentences(config: Config) -> None:
    consent_texts.keep(config.newsletter.consent, usual(config.newsletter.language))
    for translation in config.translation:
        consent_texts.keep(translation.consent, usual(translation.language))


def _prefixes_before(prefix: str, in_force: Published | None) -> list[str]:
    prefixes = [*in_force.prefixes_before, in_force.prefix] if in_force else []
    return [earlier for earlier in dict.fromkeys(prefixes) if earlier != prefix]


def _audience(config: Config) -> Audience:
    section = config.audience
    return Audience(
        hosts=sorted(config.audience_hosts),
        timezone=section.timezone,
        parameters=section.query_parameters,
        hash_routes=section.hash_routes,
        events=section.events,
        products=section.products,
        spam=sorted(referrer_spam.with_those(section.spam_referrers)),
        min_visitors=section.min_visitors,
        names=names_known(config.audience_pages),
        proof=_mark_of_proofs(),
    )


def _in_force() -> Published | None:
    try:
        return published.load(settings.TROTH_SITE.public)
    except published.PublishedError:
        return None


def _mark_of_proofs() -> str:
    """By what fronts know a proof's hits: drawn once, then kept."""
    before = _in_force()
    mark = before.audience.proof if before and before.audience else ""
    return mark or secrets.token_hex(16)


def _statistics() -> StatisticsPage | None:
    """The public page; weeks that visitors saw stay as they were."""
    in_force = _in_force()
    return page.made(in_force.statistics if in_force else None)


_SECURITY_DAYS = timedelta(days=180)


def security_txt(config: Config, now: datetime) -> str:
    """Return `security.txt` (RFC 9116): whom to tell of a hole. It expires half a year after this week."""
    contact = config.site.security_contact or config.contact_address
    if not contact.startswith("https:"):
        contact = f"mailto:{quote(contact, safe='@')}"
    expires = ends_at(epoch_of(now)) + _SECURITY_DAYS
    lines = [f"Contact: {contact}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en"]
    url = urlsplit(config.site.url)
    if url.scheme == "https":  # section 2.5.2: web addresses in it begin with https
        paths = dict.fromkeys(("", url.path))
        lines += [f"Canonical: https://{url.netloc}{path}/.well-known/security.txt" for path in paths]
    return "\n".join(lines) + "\n"


def publish() -> int | None:
    """Publish where what is in force is not what should be; returns the new generation, or None."""
    public = settings.TROTH_SITE.public
    _keep_sentences(settings.TROTH_CONFIG)  # before a front shows them
    now = _in_force()
    last = _last_generation(public)
    fresh = wanted(settings.TROTH_CONFIG, last + 1, now)
    if now is not None and replace(fresh, generation=now.generation) == now:
        return None
    published.write(public, fresh)
    # What a front may still show, which has not looked since, stays until the next time.
    archive.remove_old(*(state.archive for state in (fresh, now) if state and state.archive))
    return last + 1


def _last_generation(public: Path) -> int:
    numbers = [entry.name[4:] for entry in public.iterdir() if entry.name.startswith("gen-")]
    return max((int(number) for number in numbers if number.isdigit()), default=0)

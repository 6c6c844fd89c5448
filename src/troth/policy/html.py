"""The policy as visitors see it: below each sentence the state of its promise, and how it is kept and tested. Rendered
by the worker, served by the front. All text in it is our own or escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote, urlsplit

from troth.core import facts
from troth.core.config.sections import Config
from troth.core.same_site import apart
from troth.policy import data_map, diff, privacy_notice, promises, text
from troth.policy.models import PolicyVersion
from troth.policy.promise import Control, Proof, State
from troth.policy.status import LastResult, PromiseStatus, proof_state
from troth.policy.text import Dress

LABELS = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.UNPROVEN: "Not proven",
    State.STALE: "Not verified",
}


@dataclass(frozen=True, slots=True)
class PolicyView:
    """How the page is shown."""

    now: datetime
    stale: bool = False
    """Whether it is the form for when no proof has run for too long."""
    lower: int = 0
    """Steps by which headings are lowered, for a page of the vendor."""


def page(version: PolicyVersion, stands: Sequence[PromiseStatus], config: Config, view: PolicyView) -> str:
    """Return the page of the version in force."""
    by_id = {standing.promise.id: standing for standing in stands}
    rendered: set[str] = set()

    def below(promises: list[str]) -> str:
        new = [promise for promise in promises if promise in by_id and promise not in rendered]
        rendered.update(new)
        return "".join(_note(by_id[promise], view, named=len(new) > 1) for promise in new)

    dress = Dress(
        sentence=lambda promise: f"promise {by_id[promise].state}" if promise in by_id else "promise",
        below=below,
        fill=_fill(config, data_map.tables(config)),
        lower=view.lower,
    )
    return _banner(stands, view) + text.html(text.parse(version.text), dress) + _foot(version, config)


def _fill(config: Config, tables: dict[str, data_map.Table]) -> dict[str, str]:
    contact, rights = escape(config.contact_address), escape(f"{config.site.url}/privacy/me")
    choices = escape(f"{config.site.url}/privacy/choices")
    write_to = f'<a href="mailto:{quote(config.contact_address, safe="@")}">{contact}</a>'
    controller, officer = config.controller, escape(config.controller.data_protection_officer)
    contact_parts = (escape(part) for part in (config.controller_name, controller.address) if part)
    places = {
        "vendor": escape(config.site.name),
        "contact": write_to,
        "controller": ", ".join([*contact_parts, write_to]),
        "officer": f"Data protection officer: {officer}" if officer else "",
        "authority": escape(controller.authority or _AN_AUTHORITY),
        "transfers": escape(controller.transfers) or f"{_ASK_WHETHER} {write_to}.",
        "rights": f'<a href="{rights}">{rights}</a>',
        "backups": escape(facts.after_erasure(config.backup.keys_days)),
        "choices": f'<a href="{choices}">{choices}</a>',
        "not_counted": escape(_not_counted(config)),
        **data_map.fills(tables),
    }
    return {**places, privacy_notice.NOTICE: privacy_notice.notice(places)}


def _not_counted(config: Config) -> str:
    if not config.audience.enabled:
        return facts.NO_CHOICE
    return facts.not_counted(apart(urlsplit(config.site.url).hostname or "", config.audience_hosts))


_AN_AUTHORITY = "the data protection authority of the country where you live or work"
_ASK_WHETHER = "Ask us whether data leaves the European Economic Area, and under which safeguards:"


def moment(at: datetime) -> str:
    """Return a moment as the page shows it."""
    return f'<time datetime="{at:%Y-%m-%dT%H:%MZ}">{at:%-d %B %Y, %H:%M} UTC</time>'


# -- state ----------------------------------------------------------------------------------------------------


def _banner(stands: Sequence[PromiseStatus], view: PolicyView) -> str:
    state, sentence = _summary(stands, view)
    return f'<p class="standing {state}" role="status">{sentence}</p>'


def _summary(stands: Sequence[PromiseStatus], view: PolicyView) -> tuple[State, str]:
    count = {state: sum(1 for standing in stands if standing.state is state) for state in State}
    tested = [standing.at for standing in stands if standing.at is not None]
    broken, stale = count[State.BROKEN], count[State.STALE]
    if broken:
        summary = "One promise is broken." if broken == 1 else f"{broken} promises are broken."
        return State.BROKEN, f"<strong>{summary}</strong> See below for what was found."
    if not tested:
        return State.UNPROVEN, "<strong>Not tested yet.</strong> The first test is running."
    if stale:
        summary = "Not verified" if stale == len(stands) else f"{stale} of {len(stands)} promises not verified"
        return State.STALE, f"<strong>{summary} since {moment(min(tested))}.</strong> {_STALE_MEANS}"
    if count[State.UNPROVEN]:
        summary = f"{count[State.KEPT]} of {len(stands)} promises were kept when last tested"
        return State.UNPROVEN, f"<strong>{summary}</strong>; the others could not be tested."
    summary = f"All {len(stands)} promises were tested and kept"
    return State.KEPT, f"<strong>{summary}</strong>. Oldest test: {moment(min(tested))}."


_STALE_MEANS = "This page may still be accurate, but has not been tested since."


def mark(state: State) -> str:
    """Return a state as a symbol and a word, not by colour alone."""
    return f'<span class="mark {state}"><span class="sign" aria-hidden="true"></span>{LABELS[state]}</span>'


def _note(standing: PromiseStatus, view: PolicyView, *, named: bool) -> str:
    promise, h = standing.promise, f"h{3 + view.lower}"
    controls = "".join(_control(control) for control in promise.controls)
    proofs = "".join(_proof(proof, standing.results.get(proof.id), view) for proof in promise.proofs)
    detected = "".join(f"<li>{escape(proof.sees)}</li>" for proof in promise.proofs)
    unfolded = " open" if standing.state is State.BROKEN else ""
    means = f" <span>{escape(promise.means)}</span>" if named else ""
    return (
        f'<details class="note" id="{escape(promise.id)}"{unfolded}><summary>{mark(standing.state)}{means} '
        f'<span class="when">{_when(standing)}</span></summary><div>'
        f"<{h}>How it is kept</{h}><ul>{controls}</ul>"
        f"<{h}>How it was tested</{h}><ul>{proofs}</ul>"
        f"<{h}>What these tests would detect</{h}><ul>{detected}</ul>{_breaches(promise.id)}"
        f"<{h}>Check for yourself</{h}><p>{escape(promise.yourself)}</p></div></details>"
    )


def _when(standing: PromiseStatus) -> str:
    if standing.at is None:
        return "not tested yet"
    return f"since {moment(standing.at)}" if standing.state is State.STALE else f"tested {moment(standing.at)}"


def _breaches(promise: str) -> str:
    breaches = promises.breaches_seen(promise)
    if not breaches:
        return ""
    items = "".join(f"<li>{escape(breach)}</li>" for breach in breaches)
    return f"<p>These breaches were made on purpose, in a copy of the program, and detected:</p><ul>{items}</ul>"


def _control(control: Control) -> str:
    return f"<li>{escape(_capital(control.description))} <code>{escape(control.where)}</code></li>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _proof(proof: Proof, result: LastResult | None, view: PolicyView) -> str:
    state = proof_state(proof, result, view.now, stale=view.stale)
    outcome = f"{moment(result.at)}: {escape(result.detail)}" if result else "Not tested yet."
    return f'<li>{escape(proof.tried)} <span class="found">{mark(state)} {outcome}</span></li>'


# -- versions ---------------------------------------------------------------------------------------------------------


def _foot(version: PolicyVersion, config: Config) -> str:
    at = escape(config.site.url)
    return (
        f'<p class="version">Version {version.number}, in force since {moment(version.published_at)}. '
        f'<a href="{at}/privacy/versions">All versions</a>. '
        f'<a href="{at}/.well-known/privacy-promises.json">Machine-readable version</a>. '
        f"SHA-256: <code>{version.digest}</code></p>"
    )


def old(version: PolicyVersion, config: Config) -> str:
    """Return an earlier version with the tables that it had then, without the state of its promises."""
    bare = Dress(lambda promise: "promise", lambda promises: "", _fill(config, version.tables), lower=1)
    return text.html(text.parse(version.text), bare)


def changes(version: PolicyVersion, before: PolicyVersion | None) -> str:
    """Return the changes of this version as HTML; empty for the first."""
    if before is None:
        return ""
    for bare in (True, False):  # first without promise marks; with them if nothing else changed
        old_lines, new_lines = (diff.whole(edition.text, edition.tables, bare=bare) for edition in (before, version))
        lines = diff.between(old_lines, new_lines)
        if lines:
            break
    return diff.as_html(lines)

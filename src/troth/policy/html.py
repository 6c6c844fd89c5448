"""The policy as visitors get it: below each sentence how its promise stands, and unfolding how it is kept and tried.

Made by the worker, shown by the front. Every word in it is ours or escaped. May touch: settings, what it is given.
"""

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
from troth.policy.status import Found, Standing, proof_state
from troth.policy.text import Dress

WORDS = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.UNPROVEN: "Not proven",
    State.STALE: "Not verified",
}


@dataclass(frozen=True, slots=True)
class View:
    """One way to show it."""

    now: datetime
    stale: bool = False
    """As it is shown when nobody has looked for too long."""
    lower: int = 0
    """Headings lowered by so many steps, for a vendor's own page."""


def page(version: PolicyVersion, stands: Sequence[Standing], config: Config, view: View) -> str:
    """The version in force, whole."""
    of = {one.promise.id: one for one in stands}
    shown: set[str] = set()

    def below(promises: list[str]) -> str:
        fresh = [one for one in promises if one in of and one not in shown]
        shown.update(fresh)
        return "".join(_note(of[one], view, named=len(fresh) > 1) for one in fresh)

    dress = Dress(
        sentence=lambda promise: f"promise {of[promise].state}" if promise in of else "promise",
        below=below,
        fill=_fill(config, data_map.tables(config)),
        lower=view.lower,
    )
    return _banner(stands, view) + text.html(text.parse(version.text), dress) + _foot(version, config)


def _fill(config: Config, tables: dict[str, data_map.Table]) -> dict[str, str]:
    contact, rights = escape(config.contact_address), escape(f"{config.site.url}/privacy/me")
    choices = escape(f"{config.site.url}/privacy/choices")
    write_to = f'<a href="mailto:{quote(config.contact_address, safe="@")}">{contact}</a>'
    told = config.controller
    found = {
        "vendor": escape(config.site.name),
        "contact": write_to,
        "controller": ", ".join([*(escape(one) for one in (config.controller_name, told.address) if one), write_to]),
        "officer": f"Data protection officer: {escape(told.data_protection_officer)}"
        if told.data_protection_officer
        else "",
        "authority": escape(told.authority or _AN_AUTHORITY),
        "transfers": escape(told.transfers) or f"{_ASK_WHETHER} {write_to}.",
        "rights": f'<a href="{rights}">{rights}</a>',
        "backups": escape(facts.after_erasure(config.backup.keys_days)),
        "choices": f'<a href="{choices}">{choices}</a>',
        "not_counted": escape(_not_counted(config)),
        **data_map.fills(tables),
    }
    return {**found, privacy_notice.NOTICE: privacy_notice.notice(found)}


def _not_counted(config: Config) -> str:
    if not config.audience.enabled:
        return facts.NO_CHOICE
    return facts.not_counted(apart(urlsplit(config.site.url).hostname or "", config.audience_hosts))


_AN_AUTHORITY = "the data protection authority of the country where you live or work"
_ASK_WHETHER = "Ask us whether anything goes outside of the European Economic Area, and on what safeguards then:"


def moment(at: datetime) -> str:
    """A moment as the page says it."""
    return f'<time datetime="{at:%Y-%m-%dT%H:%MZ}">{at:%-d %B %Y, %H:%M} UTC</time>'


# -- how it stands ----------------------------------------------------------------------------------------------------


def _banner(stands: Sequence[Standing], view: View) -> str:
    state, words = _in_all(stands, view)
    return f'<p class="standing {state}" role="status">{words}</p>'


def _in_all(stands: Sequence[Standing], view: View) -> tuple[State, str]:
    count = {state: sum(1 for one in stands if one.state is state) for state in State}
    tried = [one.at for one in stands if one.at is not None]
    broken, stale = count[State.BROKEN], count[State.STALE]
    if broken:
        said = "One promise is broken" if broken == 1 else f"{broken} promises are broken"
        return State.BROKEN, f"<strong>{said} at present.</strong> It is marked below, with what was found."
    if not tried:
        return State.UNPROVEN, "<strong>Not tried yet.</strong> The first trial is under way."
    if stale:
        said = "Not verified" if stale == len(stands) else f"{stale} of {len(stands)} promises not verified"
        return State.STALE, f"<strong>{said} since {moment(min(tried))}.</strong> {_STALE_MEANS}"
    if count[State.UNPROVEN]:
        said = f"{count[State.KEPT]} of {len(stands)} promises kept when last tried"
        return State.UNPROVEN, f"<strong>{said}</strong>; the others could not be tried."
    said = f"All {len(stands)} promises were tried, and kept"
    return State.KEPT, f"<strong>{said}</strong>, last at {moment(min(tried))}."


_STALE_MEANS = "What this page says may still be true; nobody has looked since then."


def mark(state: State) -> str:
    """A state as a mark: a sign and a word, never colour alone."""
    return f'<span class="mark {state}"><span class="sign" aria-hidden="true"></span>{WORDS[state]}</span>'


def _note(standing: Standing, view: View, *, named: bool) -> str:
    promise, h = standing.promise, f"h{3 + view.lower}"
    controls = "".join(_control(one) for one in promise.controls)
    proofs = "".join(_proof(proof, standing.found.get(proof.id), view) for proof in promise.proofs)
    seen = "".join(f"<li>{escape(proof.sees)}</li>" for proof in promise.proofs)
    unfolded = " open" if standing.state is State.BROKEN else ""
    means = f" <span>{escape(promise.means)}</span>" if named else ""
    return (
        f'<details class="note" id="{escape(promise.id)}"{unfolded}><summary>{mark(standing.state)}{means} '
        f'<span class="when">{_when(standing)}</span></summary><div>'
        f"<{h}>How it is kept</{h}><ul>{controls}</ul>"
        f"<{h}>How it was tried</{h}><ul>{proofs}</ul>"
        f"<{h}>Which breaches would have been seen</{h}><ul>{seen}</ul>{_made_on_purpose(promise.id)}"
        f"<{h}>Look for yourself</{h}><p>{escape(promise.yourself)}</p></div></details>"
    )


def _when(standing: Standing) -> str:
    if standing.at is None:
        return "not tried yet"
    return f"since {moment(standing.at)}" if standing.state is State.STALE else f"tried {moment(standing.at)}"


def _made_on_purpose(promise: str) -> str:
    made = promises.breaches_seen(promise)
    if not made:
        return ""
    each = "".join(f"<li>{escape(one)}</li>" for one in made)
    return f"<p>These were made on purpose, on a copy of the program, and seen:</p><ul>{each}</ul>"


def _control(control: Control) -> str:
    return f"<li>{escape(_capital(control.what))} <code>{escape(control.where)}</code></li>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _proof(proof: Proof, found: Found | None, view: View) -> str:
    state = proof_state(proof, found, view.now, stale=view.stale)
    said = f"{moment(found.at)}: {escape(found.detail)}" if found else "Not tried yet."
    return f'<li>{escape(proof.tried)} <span class="found">{mark(state)} {said}</span></li>'


# -- versions ---------------------------------------------------------------------------------------------------------


def _foot(version: PolicyVersion, config: Config) -> str:
    at = escape(config.site.url)
    return (
        f'<p class="version">Version {version.number}, in force since {moment(version.published_at)}. '
        f'<a href="{at}/privacy/versions">All versions</a>. '
        f'<a href="{at}/.well-known/privacy-promises.json">For programs</a>. '
        f"SHA-256: <code>{version.digest}</code></p>"
    )


def old(version: PolicyVersion, config: Config) -> str:
    """An earlier version as it was, with the tables that it had then. Nothing is said of how it stands."""
    bare = Dress(lambda promise: "promise", lambda promises: "", _fill(config, version.tables), lower=1)
    return text.html(text.parse(version.text), bare)


def changes(version: PolicyVersion, before: PolicyVersion | None) -> str:
    """What changed in this version against the one before; empty for the first."""
    if before is None:
        return ""
    for bare in (True, False):  # as it is read; where only a mark changed, with the marks
        then, now = (diff.whole(one.text, one.tables, bare=bare) for one in (before, version))
        found = diff.between(then, now)
        if found:
            break
    return diff.as_html(found)

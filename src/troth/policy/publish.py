"""All that the front gets of the policy: pages, JSON and versions, each in a form for while the proofs are fresh and
one for afterwards. May touch: the database and settings.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.conf import settings

from troth.core import clock
from troth.core.config.sections import Config
from troth.policy import data_map, html, json_document, promises, status, text
from troth.policy.html import PolicyView
from troth.policy.models import PolicyVersion
from troth.policy.published import OldVersion, PrivacyPage
from troth.policy.status import LastResult, PromiseStatus, proof_state
from troth.policy.versions import in_force

MOST_VERSIONS = 40
"""Earlier versions with their full text; older ones have number, date and hash only."""
_NEVER = datetime.fromtimestamp(0, UTC)


def fronted() -> PrivacyPage | None:
    """Return all of it; None while no version is in force."""
    version = in_force()
    return None if version is None else made(version, status.newest())


def made(version: PolicyVersion, results: Mapping[str, LastResult]) -> PrivacyPage:
    """Return all of it for these results, by proof id. It tells of the promises that this version makes: one that the
    site could make, and its text does not, is not among them."""
    now, config = clock.now(), settings.TROTH_CONFIG
    in_text = set(text.parse(version.text).promises)
    fresh, stale = (
        [standing for standing in status.standings(results, now, stale=stale) if standing.promise.id in in_text]
        for stale in (False, True)
    )
    since, until = status.holds(fresh) or (_NEVER, _NEVER)

    def page(stands: list[PromiseStatus], *, stale: bool, lower: int = 0) -> str:
        return html.page(version, stands, config, PolicyView(now, stale=stale, lower=lower))

    return PrivacyPage(
        fresh=page(fresh, stale=False),
        stale=page(stale, stale=True),
        fresh_embed=page(fresh, stale=False, lower=1),
        stale_embed=page(stale, stale=True, lower=1),
        fresh_json=_json(version, fresh, config, PolicyView(now), until),
        stale_json=_json(version, stale, config, PolicyView(now, stale=True), None),
        since_ms=int(since.timestamp() * 1000),
        until_ms=int(until.timestamp() * 1000),
        stated=f"{version.published_at:%Y-%m-%d}",
        versions=_versions(version, config),
    )


_rendered: dict[tuple[int, str], OldVersion] = {}
"""Cache of rendered versions, which do not change. By number and moment."""


def _versions(newest: PolicyVersion, config: Config) -> list[OldVersion]:
    rows = list(PolicyVersion.objects.defer("text", "tables").order_by("-number"))
    keys = [(row.number, f"{row.published_at.isoformat()} {row.number == newest.number}") for row in rows]
    for lost in _rendered.keys() - set(keys):
        del _rendered[lost]
    for row, key in zip(rows, keys, strict=True):
        if key not in _rendered:
            _rendered[key] = _version(row, newest, config)
    return [_rendered[key] for key in keys]


def _version(row: PolicyVersion, newest: PolicyVersion, config: Config) -> OldVersion:
    has_text = newest.number - row.number <= MOST_VERSIONS
    before = PolicyVersion.objects.filter(number=row.number - 1).first()
    return OldVersion(
        number=row.number,
        at=f"{row.published_at:%Y-%m-%dT%H:%MZ}",
        digest=row.digest,
        said=row.said,
        html=html.old(row, config) if has_text and row.number != newest.number else "",
        changes=html.changes(row, before) if has_text else "",
    )


# -- JSON -------------------------------------------------------------------------------------------------------------


def _json(
    version: PolicyVersion, stands: Sequence[PromiseStatus], config: Config, view: PolicyView, until: datetime | None
) -> str:
    times = [result.at for standing in stands for result in standing.results.values()]
    document = json_document.Told(
        schema_url=f"{config.site.url}/{json_document.SCHEMA_PATH}",
        controller=config.controller_name,
        contact=config.contact_address,
        policy=json_document.PolicyTold(
            version=version.number,
            in_force_since=version.published_at,
            sha256=version.digest,
            changed=version.said,
            url=f"{config.site.url}/privacy",
        ),
        verified_at=max(times, default=None),
        fresh_until=until if until != _NEVER else None,
        promises=[_promise(standing, view) for standing in stands],
        collected=[
            json_document.CollectedTold(what=row.title, purpose=row.why.value, how=row.how)
            for row in data_map.kept(config)
        ],
        kept_for=[json_document.LifetimeTold(what=row.title, until=row.until) for row in data_map.lifetimes(config)],
        receivers=[
            json_document.ReceiverTold(who=name, what_for=purpose, sees=access)
            for name, purpose, access in data_map.receivers(config)
        ],
    )
    return json_document.text(document)


def _promise(standing: PromiseStatus, view: PolicyView) -> json_document.PromiseTold:
    promise = standing.promise
    return json_document.PromiseTold(
        id=promise.id,
        means=promise.means,
        state=standing.state.value,
        verified_at=standing.at,
        proofs=[
            json_document.ProofTold(
                id=proof.id,
                state=proof_state(proof, result, view.now, stale=view.stale).value,
                tried=proof.tried,
                sees=proof.sees,
                detail=result.detail if result else "",
                at=result.at if result else None,
            )
            for proof, result in ((proof, _of(standing, proof.id)) for proof in promise.proofs)
        ],
        breaches_seen=promises.breaches_seen(promise.id),
        yourself=promise.yourself,
    )


def _of(standing: PromiseStatus, proof: str) -> LastResult | None:
    return standing.results.get(proof)

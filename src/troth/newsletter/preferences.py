"""What a subscriber set on the page behind the link to their preferences: topics, a pause, or that they leave.

The front checked the link for the visitor; here it is checked again, and decides (WALL 1). Whoever holds a link, such
as somebody to whom an issue was forwarded, can set these and see nothing of the person. Runs inside intake.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from troth.core.entry import Came
from troth.core.intake_counts import Count
from troth.core.signed_links import Act, LinkRefused
from troth.newsletter import services, topics
from troth.newsletter.entry import PAUSE_AS_IT_IS, PAUSE_ENDS, PreferencesSet
from troth.newsletter.models import Subscription
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.records import CONSENT, Consent


def apply(batch: Sequence[Came[PreferencesSet]]) -> Counter[Count]:
    """Do what these links let their holders do. A link that is refused is counted, not an error."""
    return Counter(_apply(pressed) for pressed in batch)


def _apply(pressed: Came[PreferencesSet]) -> Count:
    try:
        subject = signing_keys.subject(pressed.entry.link, Act.PREFERENCES, pressed.at)
    except LinkRefused:
        return Count.LINKS_REFUSED
    if pressed.entry.leave:
        return Count.LEFT if services.leave(subject, pressed) else Count.LINKS_WITHOUT_EFFECT
    subscriptions = Subscription.with_canaries.select_related("person")
    subscription = subscriptions.filter(id=subject, state=Subscription.State.CONFIRMED).first()
    if subscription is None:
        return Count.LINKS_WITHOUT_EFFECT
    changed = [_choose(subscription, pressed), _pause(subscription, pressed)]
    return Count.PREFERENCES if any(changed) else Count.LINKS_WITHOUT_EFFECT


def _choose(subscription: Subscription, pressed: Came[PreferencesSet]) -> bool:
    entry = pressed.entry
    if not topics.choose(subscription.id, before=entry.seen, chosen=entry.chosen, at=pressed.at):
        return False
    bitmap = topics.of_subscriptions([subscription.id]).get(subscription.id, 0)
    step = Consent("topics", pressed.entry_id, services.ms_of(pressed.at), topics=bitmap)
    keeper().record(keeper().held(subscription.person), CONSENT, step).save(force_insert=True)
    return True


def _pause(subscription: Subscription, pressed: Came[PreferencesSet]) -> bool:
    months = pressed.entry.pause
    if months == PAUSE_AS_IT_IS:
        return False
    until = None if months == PAUSE_ENDS else months_after(pressed.at, months)
    changed = until != subscription.paused_until
    if changed:
        Subscription.with_canaries.filter(id=subscription.id).update(paused_until=until)
    return changed


def months_after(at: datetime, months: int) -> datetime:
    """Return the same day and time so many months later; in a shorter month, its last day."""
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))

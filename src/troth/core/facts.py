"""Facts that people are told in several places (pages, receipts, policy), each said here once.
`tests/docs/test_facts.py` gathers the places."""

from collections.abc import Sequence

from troth.core.text.durations import days_span


def after_erasure(keys_days: int) -> str:
    """Return what backups still hold of somebody who is erased. `keys_days`: how long backups of the keys live."""
    period = days_span(keys_days)
    return f"Until the last backup of the keys is gone (up to {period}), backups could still restore an erased record."


def gone_from_backups(day: str) -> str:
    """Return the same once it is done. `day`: when the last backup with their key is gone, as in a receipt."""
    return f"By {day}, when the last backup of the keys is gone. Until then, backups could still restore the record."


ONLY_CONFIRMED = "A sign-up counts only once it is confirmed."

CONFIRMED = (
    "You’re on the list, unless you have unsubscribed, or your details were changed or deleted, since you signed up. "
    "In that case this link no longer counts: please sign up again."
)
"""After the button behind a link that confirms. The front cannot know what that changed: true in each case."""

UNSUBSCRIBED = (
    "The subscription that this link belongs to has ended: no further issue comes by it. One that is on its way may "
    "still arrive."
)
"""After the button behind a link that unsubscribes, whether it was pressed before, or the record is gone by now."""

PREFERENCES_SAVED = "They take effect within a minute, unless the subscription that this link belongs to has ended."
"""After the button on the page of preferences. The front cannot know whether it has."""

# -- the choice not to be counted -------------------------------------------------------------------------------------

CHOICE_DAYS = 365
"""How long a browser is asked to keep the choice. RFC 6265bis, section 5.5, lets none keep it for more than 400."""

COUNT_AGAIN = "Count my visits again"
"""The button that undoes it."""

NOT_COUNTED = "Choosing not to be counted, or Global Privacy Control, only adds one to those who asked."
"""What it does."""

CHOICE_KEPT = (
    "The choice not to be counted is kept in the browser where it is made, and nowhere else: for "
    f"{days_span(CHOICE_DAYS)} at most, as a cookie that says “no”, the same for everybody."
)
"""Where it is kept, and for how long."""

CHOICE_UNDONE = f"“{COUNT_AGAIN}”, on the page where it was made, undoes it; so does deleting the cookie."

NO_CHOICE = "Visits are not counted here, so there is nothing to choose about them."


def not_everywhere(apart: Sequence[str]) -> str:
    """Where the choice may not reach; empty where it reaches every page. `apart`: hosts whose pages are counted and are
    of another site than the one that keeps it."""
    if not apart:
        return ""
    return (
        f"From pages of {', '.join(apart)}, which is another site, many browsers do not send the choice: there visits "
        "are counted all the same. Global Privacy Control works everywhere."
    )


def not_counted(apart: Sequence[str]) -> str:
    """Return what the choice does, as far as it does."""
    return f"{NOT_COUNTED} {not_everywhere(apart)}".rstrip()

"""Facts that people are told in more than one place, each said here once: before and after an erasure, on visitors' and
operators' pages, in receipts, in the policy, behind links. `tests/docs/test_facts.py` gathers the places.

Touches nothing.
"""


def after_erasure(keys_days: int) -> str:
    """What backups still hold of somebody who is erased. `keys_days`: how long backups of the keys live."""
    days = "a day" if keys_days == 1 else f"{keys_days} days"
    return f"Until the last backup of the keys is gone (up to {days}), backups could still restore an erased record."


def gone_from_backups(day: str) -> str:
    """The same once it is done. `day`: when the last backup of the keys that has theirs is gone, as in a receipt."""
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

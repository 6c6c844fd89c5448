"""Checks entries again in the worker, by the forms' rules (WALL 1, B2, C1).

The front checks input before it encrypts it. A compromised front can encrypt anything: a name of a megabyte, a card
number, a control character. So every decrypted entry is checked again before it is stored. Touches nothing.
"""

from uuid import UUID

from troth.core import clock, contact_details
from troth.core.entry import Entry, EntryRefused
from troth.core.epochs import LENGTH, epoch_of, starts_at
from troth.core.ids import made_at_ms
from troth.core.personal import Personal


def judge(entry: Entry) -> None:
    """Check an entry's fields. Raises `EntryRefused` if no genuine front can have encrypted it."""
    for name in entry.__struct_fields__:
        value = getattr(entry, name)
        if isinstance(value, Personal):
            try:
                contact_details.check_sealed(value.category, value.reveal())
            except ValueError as error:
                raise EntryRefused(f"{name}: {error}") from None
    entry.check()


def judge_time(entry_id: UUID, epoch: int) -> None:
    """Refuse an entry that says it was made long before its key was there. Raises `EntryRefused`.

    Whoever may date back may use links that have run out, and add to the sums of days that are over. A key of an epoch
    that has not begun is one that a clock brought which was ahead: what was made since it came back is as good.
    """
    started = starts_at(min(epoch, epoch_of(clock.now())))
    if made_at_ms(entry_id) < 1000 * (started - LENGTH).timestamp():
        raise EntryRefused("It says that it was made before its key was.")

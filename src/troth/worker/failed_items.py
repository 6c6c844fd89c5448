"""What intake could not file: kept as the sealed bytes that came, up to a limit, in `data/aside/` and its table."""

from collections.abc import Sequence
from dataclasses import dataclass

from troth.core.disk import sync_folder, write_synced
from troth.core.errors import TrothError
from troth.core.frames import Damage, Frame
from troth.core.site import Site
from troth.vault.models import AsideItem

MOST_JUNK = 2_000
"""So many envelopes that no honest front can have made are kept: a captured one could fill the disk. The log counts
more."""
MOST_WAITING = 50_000
"""So many that may be honest wait aside, for a key or a newer version. Beyond, intake waits, too, and the spool keeps
what was acknowledged (WALL 4)."""
_MOST_KEPT = 1 << 20
"""Bytes of one that are kept at most: a frame is smaller, only damage can be longer."""


class TooMuchWaits(TrothError):
    """More is set aside than there is room for."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_WAITING:,} failed items wait for a key that is missing or wrong; the rest stays in the spool.",
            mend="Put the right key file back into keys/seal/: `troth failed list` shows the epochs.",
        )


@dataclass(frozen=True, slots=True, repr=False)
class Aside:
    """Something to set aside."""

    item: Frame | Damage
    reason: AsideItem.Reason
    raw: bytes
    epoch: int | None = None
    junk: bool = False
    """Whether no honest front can have made it."""


def with_room(aside: Sequence[Aside]) -> list[Aside]:
    """Return those of these that are kept: all but the junk for which there is no room. Raises `TooMuchWaits`."""
    if not aside:
        return []
    waiting_before = AsideItem.objects.filter(kept=True, filed_at=None).exclude(reason=AsideItem.Reason.DAMAGED).count()
    waiting = sum(not item.junk and item.reason is not AsideItem.Reason.DAMAGED for item in aside)
    if waiting and waiting_before + waiting > MOST_WAITING:
        raise TooMuchWaits
    room = max(0, MOST_JUNK - waiting_before - waiting)
    keeping = list[Aside]()
    for item in aside:
        room -= item.junk
        if not item.junk or room >= 0:
            keeping.append(item)
    return keeping


def keep(site: Site, segment: int, aside: Sequence[Aside]) -> None:
    """Keep sealed bytes in `data/aside/` before the position moves past them: nothing acknowledged is lost."""
    if not aside:
        return
    site.aside.mkdir(mode=0o770, exist_ok=True)
    for item in aside:
        if len(item.raw) <= _MOST_KEPT:
            write_synced(site.aside_file(segment, item.item.offset), item.raw)
    sync_folder(site.aside)


def note(segment: int, aside: Sequence[Aside]) -> None:
    """Write down what was set aside, in the caller's transaction."""
    AsideItem.objects.bulk_create(
        AsideItem(
            segment=segment,
            offset=item.item.offset,
            size=item.item.end - item.item.offset,
            kind=item.item.kind if isinstance(item.item, Frame) else 0,
            epoch=item.epoch,
            reason=item.reason,
            kept=len(item.raw) <= _MOST_KEPT,
        )
        for item in aside
    )

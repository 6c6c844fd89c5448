"""What requests about one's own data file, send, store and show (`core.rooms`)."""

from datetime import timedelta

from troth.core import clock
from troth.core.rooms import Retained, Room, Timer
from troth.rights import requests
from troth.rights.entry import RightsAsked, RightsUsed
from troth.rights.mails import compose_exports, compose_links
from troth.rights.models import HeldExport
from troth.vault.retained_rows import delete_some, oldest

HELD_EXPORTS_KEPT = timedelta(days=30)
"""A month: by then whoever asked for it has their answer (GDPR, article 12)."""


ROOM = Room(
    name="rights",
    files={RightsAsked: requests.file_asked, RightsUsed: requests.use_rights},
    mails={requests.LINK: compose_links, requests.EXPORT: compose_exports},
    timers=(Timer("answers_removed", 60, requests.remove_over, removes=True),),
    retention=(
        Retained(
            name="held_exports",
            title="Records of held exports",
            visitors="That an export was held for review",
            anonymous=True,
            period=lambda _config: HELD_EXPORTS_KEPT,
            oldest=lambda: oldest(HeldExport.objects.all(), "asked_at"),
            sweep=lambda _config: delete_some(HeldExport.objects.filter(asked_at__lt=clock.now() - HELD_EXPORTS_KEPT)),
            why="Time for an owner to review. The export itself is not stored; it is created again on request.",
        ),
    ),
    columns=frozenset({"rights.HeldExport.asked_by", "rights.HeldExport.reason", "rights.HeldExport.tripped"}),
    urls="troth.rights.urls",
)

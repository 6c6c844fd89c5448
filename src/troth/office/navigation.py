"""The console's navigation: the admin server's own pages, and each package's (`room.py`)."""

from functools import cache

from django.conf import settings

from troth.core.rooms import MenuLink, rooms
from troth.kit.roles import EVERYBODY, OWNERS

_OWN = (
    MenuLink(place=0, url_name="today", label="Today", icon="today"),
    MenuLink(
        place=50, url_name="access_log", label="Access log", icon="ledger", also=("access_log_verify",), roles=OWNERS
    ),
    MenuLink(place=60, url_name="held", label="Held mail", icon="held", roles=OWNERS),
    MenuLink(place=70, url_name="deletion_log", label="Deletion log", icon="erasures", roles=OWNERS),
    MenuLink(place=80, url_name="system_status", label="System status", icon="house"),
    MenuLink(
        place=110,
        url_name="team",
        label="Team",
        icon="key",
        also=("team_add", "team_link"),
        roles=OWNERS,
    ),
)


@cache
def links() -> tuple[MenuLink, ...]:
    """Return every entry, in its order."""
    return tuple(sorted((*_OWN, *(link for room in rooms() for link in room.navigation)), key=lambda link: link.place))


def links_for(role: str | None) -> list[MenuLink]:
    """Return what an operator of this role sees: nothing of a package that is off."""
    unused = {link for room in rooms() if not room.active(settings.TROTH_CONFIG) for link in room.navigation}
    return [link for link in links() if link not in unused and role in (link.roles or EVERYBODY)]

"""Which role may open which page; a view of the console without is refused to everybody. An owner administers the site
and sends campaigns, a clerk ("Support" on pages) answers people and writes campaigns, an analyst reads statistics and
never sees a person (C2)."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.db.models import TextChoices
from django.http import HttpRequest

type View = Callable[..., Any]


class Role(TextChoices):
    """What an operator may do."""

    OWNER = "owner", "Owner"
    CLERK = "clerk", "Clerk"
    ANALYST = "analyst", "Analyst"

    @property
    def display_name(self) -> str:
        """Return the role's name as pages show it. The label belongs to a migration and stays."""
        return _TITLES.get(self, self.label)

    @property
    def meaning(self) -> str:
        """Return what the role allows, in a sentence."""
        return _MEANINGS[self]


_TITLES = {Role.CLERK: "Support"}
_MEANINGS = {
    Role.OWNER: "Full access: people, inbox, newsletter, team, access log, held mail.",
    Role.CLERK: "People and inbox: read, reply, edit, export, delete. Newsletter: write, test and pause campaigns; an "
    "owner sends them.",
    Role.ANALYST: "Statistics only: read them, add notes, exclude spam. Never sees personal data.",
}

EVERYBODY = tuple(Role)
DESK = (Role.OWNER, Role.CLERK)
"""Who may see people."""
COUNTERS = (Role.OWNER, Role.ANALYST)
"""Who may note something at a day of the statistics, and take spam out of them."""
OWNERS = (Role.OWNER,)


def may(roles: tuple[Role, ...]) -> Callable[[View], View]:
    """Mark a view as one for operators with one of `roles`. The office's middleware holds everybody to it."""

    def mark(view: View) -> View:
        view.roles = roles  # type: ignore[attr-defined]
        return view

    return mark


def roles_of(view: View) -> tuple[Role, ...] | None:
    """Return who may see this view; None if it does not say."""
    roles: tuple[Role, ...] | None = getattr(view, "roles", None)
    return roles


def actor(request: HttpRequest) -> UUID:
    """Return who asks, for the ledger: the id of the operator who is signed in."""
    return cast(UUID, request.user.pk)

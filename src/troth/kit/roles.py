"""Who may see which page. Every view of the console says so; one that does not is shown to nobody.

An owner runs the house, a clerk answers people, an analyst looks at counts and never sees a person (C2).
"""

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
    def meaning(self) -> str:
        """In a sentence, for whoever gives it to somebody."""
        return _MEANINGS[self]


_MEANINGS = {
    Role.OWNER: "Everything: people and messages, operators, the ledger, what was held back.",
    Role.CLERK: "People and messages: read, answer, correct, export, erase.",
    Role.ANALYST: "Counts and charts: reads them, notes what happened, takes spam out. Never sees a person.",
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
    """Who may see this view; None where it does not say."""
    found: tuple[Role, ...] | None = getattr(view, "roles", None)
    return found


def actor(request: HttpRequest) -> UUID:
    """Who asks, for the ledger: the id of the operator who is signed in."""
    return cast(UUID, request.user.pk)

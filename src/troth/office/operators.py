"""Operators and their one-time links: add, remove, change. Used by the command line and by the views. A link lets an
operator in and replaces a lost password or authenticator; it works once and for a short time, and only its SHA-256 is
stored."""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from troth.core import clock
from troth.core.errors import TrothError
from troth.core.text.card_numbers import mask
from troth.core.text.terminal import steers
from troth.kit.roles import Role
from troth.office.models import Operator, Welcome

PASSWORD_LINK_LASTS = timedelta(hours=48)
SIGN_IN_LINK_LASTS = timedelta(minutes=30)


class OperatorError(TrothError):
    """An operator cannot be added, found or removed."""


def _normal(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise OperatorError("This is not an email address.", mend="Enter one such as name@example.com.") from error
    return address


def _operator(email: str) -> Operator:
    operator = Operator.objects.filter(email=_normal(email)).first()
    if operator is None:
        raise OperatorError("No operator has this email address.", mend="`troth operator list` shows all operators.")
    return operator


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _link(operator: Operator, *, signs_in: bool) -> str:
    token = secrets.token_urlsafe(32)
    lasts = SIGN_IN_LINK_LASTS if signs_in else PASSWORD_LINK_LASTS
    with transaction.atomic():
        operator.welcomes.all().delete()  # a newer link replaces an older one
        Welcome.objects.create(
            digest=_digest(token), operator=operator, signs_in=signs_in, expires_at=clock.now() + lasts
        )
    return reverse("welcome", args=[token])


@transaction.atomic
def add(name: str, email: str, role: Role = Role.OWNER) -> str:
    """Add an operator and return the path of their one-time link, `/welcome/<token>`, valid for 48 hours."""
    address, name = _normal(email), mask(name.strip())  # B2
    if not name or len(name) > 100 or any(map(steers, name)):
        raise OperatorError(
            "A name needs 1 to 100 characters on one line.",
            mend="Enter the name that the team knows them by.",
        )
    if Operator.objects.filter(email=address).exists():
        raise OperatorError(
            "An operator with this email address already exists.", mend="`troth operator link` creates a new link."
        )
    operator = Operator(name=name, email=address, role=role)
    operator.set_unusable_password()
    operator.save()
    return _link(operator, signs_in=False)


def list_all() -> list[Operator]:
    """Return all operators, oldest first."""
    return list(Operator.objects.order_by("id"))


@transaction.atomic
def remove(email: str) -> None:
    """Remove an operator; their sessions end with their next request. The last owner cannot be removed."""
    operator = _operator(email)
    _require_another_owner(operator)
    operator.delete()


def _require_another_owner(operator: Operator) -> None:
    owners = Operator.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
    if operator.role == Role.OWNER and len(owners) == 1:
        raise OperatorError("This is the last owner.", mend="Add another owner first: `troth operator add`.")


@transaction.atomic
def set_role(email: str, role: Role) -> None:
    """Change an operator's role, effective with their next request. The last owner stays an owner."""
    operator = _operator(email)
    if role != Role.OWNER:
        _require_another_owner(operator)
    operator.role = role
    operator.save(update_fields=["role"])


def new_link(email: str, *, signs_in: bool = False) -> str:
    """Return a new one-time link for an operator; older ones stop working. It asks for a new password (48 hours), or
    signs in directly (`signs_in`, 30 minutes)."""
    return _link(_operator(email), signs_in=signs_in)


def look_up(token: str) -> Welcome | None:
    """Return the link of `token` if it is still valid. Changes nothing."""
    return (
        Welcome.objects.select_related("operator")
        .filter(digest=_digest(token), expires_at__gt=clock.now(), operator__is_active=True)
        .first()
    )


def use(token: str) -> Welcome | None:
    """Use up the link of `token` and return it; None if it is no longer valid. Of two requests at once, one
    succeeds."""
    with transaction.atomic():
        welcome = look_up(token)
        if welcome is None:
            return None
        spent, _ = Welcome.objects.filter(digest=welcome.digest).delete()
    return welcome if spent else None

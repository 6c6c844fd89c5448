"""Operators, and the one-time links by which they come in. No visitor's detail is kept here."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from troth.core import clock
from troth.core.ids import new_id
from troth.kit.roles import Role


class Operators(BaseUserManager["Operator"]):
    """Finds operators by the address they sign in with."""

    def get_by_natural_key(self, username: str | None) -> "Operator":
        """The operator with this address, in whatever case it was typed."""
        return self.get(email__iexact=username)


class Operator(AbstractBaseUser):
    """Someone who may sign in to the console."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    """What the operator signs in with; stored in lower case. Nothing is ever sent to it by the office."""
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[Operators] = Operators()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        """The operator's name, as the console shows it."""
        return self.name


class Welcome(models.Model):
    """A one-time link for an operator. The link's token is not here, only its SHA-256."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="welcomes")
    signs_in = models.BooleanField(default=False)
    """Signs in at once; otherwise it asks for a new password first."""
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link for {self.operator_id}"

"""Operators and their one-time sign-in links. Holds no visitor's details."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from troth.core import clock
from troth.core.ids import new_id
from troth.kit.roles import Role


class Operators(BaseUserManager["Operator"]):
    """Manager that finds operators by their email address."""

    def get_by_natural_key(self, username: str | None) -> "Operator":
        """Return the operator with this address, in any case."""
        return self.get(email__iexact=username)


class Operator(AbstractBaseUser):
    """Someone who may sign in to the console."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    """The sign-in address, in lower case. The office sends nothing to it."""
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
        """Return the name that the console shows."""
        return self.name


class Welcome(models.Model):
    """A one-time link for an operator. Only the SHA-256 of its token is stored."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="welcomes")
    signs_in = models.BooleanField(default=False)
    """Whether the link signs in directly; otherwise it asks for a new password first."""
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link for {self.operator_id}"

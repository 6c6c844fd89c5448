"""allauth's adapters: no sign-up, no email, TOTP secrets encrypted."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest

from troth.core.errors import TrothError
from troth.office.sign_in import encrypted_fields

_FACTORS = "second factors"


class SecretKeyChanged(TrothError):
    """A stored TOTP secret was encrypted under another `keys/office/secret.key`."""


class NoMail(BaseEmailBackend):
    """Email backend that refuses: the office has no network access, so sending from here is a mistake (C3)."""

    def send_messages(self, email_messages: Any) -> int:
        """Raise `TrothError`."""
        raise TrothError("The office sends no email.", mend="Queue it; only the worker sends, through the gate.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are created on the Team page and by `troth operator add`, never by sign-up."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Incorrect email address or password.",
        "enter_current_password": "Incorrect current password.",
        "incorrect_password": "Incorrect password.",
        "too_many_login_attempts": "Too many attempts. Wait a few minutes and try again.",
        "rate_limited": "Too many attempts. Wait a few minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False."""
        return False

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors, their secrets encrypted under a key derived from `keys/office/secret.key`."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "Incorrect code. The app shows a new code every 30 seconds, and each code works once.",
    }

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return encrypted_fields.close(_FACTORS, text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret. Raises `SecretKeyChanged` if the key file is not the one of the enrolment."""
        try:
            return encrypted_fields.open_again(_FACTORS, encrypted_text).decode()
        except encrypted_fields.NotOurs as error:
            raise SecretKeyChanged(
                "This operator's authenticator was enrolled under another keys/office/secret.key.",
                mend="Restore the right key file, or run `troth operator link` and enrol again.",
            ) from error

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the relying party of passkeys: the host of `office.url`."""
        return {"id": settings.ALLOWED_HOSTS[0], "name": f"{settings.TROTH_CONFIG.site.name} Admin"}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:
        """Return the name of a new passkey until the operator changes it."""
        return "Passkey"

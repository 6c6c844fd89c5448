"""How allauth is bent to this house: nobody signs up, no mail leaves, and TOTP secrets are not stored in the clear."""

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
    """A stored TOTP secret does not open with today's `keys/office/secret.key`."""


class NoMail(BaseEmailBackend):
    """The office has no door: whatever asks it to send mail is a mistake (C3)."""

    def send_messages(self, email_messages: Any) -> int:
        """Refuse."""
        raise TrothError("The office sends no mail.", mend="Queue it; only the worker sends, through the gate.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by `troth operator add` and in no other way."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The address or the password is not right.",
        "enter_current_password": "That is not your present password.",
        "incorrect_password": "That is not your password.",
        "too_many_login_attempts": "Too many attempts. Please wait a few minutes and try again.",
        "rate_limited": "Too many attempts. Please wait a few minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors. Their secrets are encrypted under a key drawn from `keys/office/secret.key`."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is not right. An app shows a new one every 30 seconds, and each works once.",
    }

    def encrypt(self, text: str) -> str:
        """A secret as it is stored."""
        return encrypted_fields.close(_FACTORS, text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. `SecretKeyChanged` where the key file is another one than at enrolment."""
        try:
            return encrypted_fields.open_again(_FACTORS, encrypted_text).decode()
        except encrypted_fields.NotOurs as error:
            raise SecretKeyChanged(
                "This operator's authenticator was enrolled under another keys/office/secret.key.",
                mend="Put the right key file back, or run `troth operator link` and enrol again.",
            ) from error

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name under which a passkey is kept: the host of `office.url`."""
        return {"id": settings.ALLOWED_HOSTS[0], "name": f"{settings.TROTH_CONFIG.site.name} office"}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:
        """What a new passkey is called until the operator names it."""
        return "Passkey"

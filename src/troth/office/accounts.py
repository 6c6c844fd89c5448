"""How allauth is bent to this house: nobody signs up, no mail leaves, and TOTP secrets are not stored in the clear."""

import base64
import os
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest

from troth.ground.errors import TrothError


class SecretKeyChanged(TrothError):
    """A stored TOTP secret does not open with today's `keys/office/secret.key`."""


class NoMail(BaseEmailBackend):
    """The office has no door: whatever asks it to send mail is a mistake (C3)."""

    def send_messages(self, email_messages: Any) -> int:
        """Refuse."""
        raise TrothError("The office sends no mail.", mend="Queue it; only the worker sends, through the gate.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by `troth operator add` and in no other way."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors. Their secrets are encrypted under a key drawn from `keys/office/secret.key`."""

    def _cipher(self) -> AESGCM:
        drawn = HKDF(SHA256(), 32, salt=None, info=b"troth office second factors").derive(settings.SECRET_KEY.encode())
        return AESGCM(drawn)

    def encrypt(self, text: str) -> str:
        """A secret as it is stored: base64 of a 12-byte nonce and AES-256-GCM's box."""
        nonce = os.urandom(12)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. `SecretKeyChanged` where the key file is another one than at enrolment."""
        box = base64.b64decode(encrypted_text)
        try:
            return self._cipher().decrypt(box[:12], box[12:], None).decode()
        except InvalidTag as error:
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

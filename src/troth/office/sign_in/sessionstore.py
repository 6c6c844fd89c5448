"""Django's database sessions with encrypted content: while an authenticator app is added, its secret is in the
session."""

from typing import Any

from django.contrib.sessions.backends import db

from troth.office.sign_in import encrypted_fields

_USE = "sessions"


class SessionStore(db.SessionStore):
    """Session store of operators."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return the session as it is stored."""
        return encrypted_fields.close(_USE, self.serializer().dumps(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return the session; an empty one if it cannot be decrypted, so that the operator signs in again."""
        try:
            content: dict[str, Any] = self.serializer().loads(encrypted_fields.open_again(_USE, session_data))
        except encrypted_fields.NotOurs:
            return {}
        return content

"""Django's sessions in the database, their content encrypted.

While an authenticator app is being added its secret lies in the session, and a backup must not show it.
"""

from typing import Any

from django.contrib.sessions.backends import db

from troth.office.sign_in import encrypted_fields

_USE = "sessions"


class SessionStore(db.SessionStore):
    """One operator's session."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """As it is stored."""
        return encrypted_fields.close(_USE, self.serializer().dumps(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """The session again; an empty one where it does not open, so that its operator signs in anew."""
        try:
            content: dict[str, Any] = self.serializer().loads(encrypted_fields.open_again(_USE, session_data))
        except encrypted_fields.NotOurs:
            return {}
        return content

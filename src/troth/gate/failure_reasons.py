"""Why emails wait, failed or are held: the outbox's closed list of reasons for operators, with a fix for each.

Counts, states and our own words: no personal data, and never the relay's text; docs/mail.md has details.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_UP = "Check that it is running and that no firewall blocks its port. Its address is `relay` under [mail]."
_PORT = "Use the matching port: 465 with smtps://, 587 with smtp://."
_LOOK = "An owner reviews each under Held mail in Admin, and sends or discards it."
_RULES = "Check DKIM, SPF and DMARC (docs/mail.md), or ask the SMTP server's operator."

WORDS: Mapping[str, tuple[str, str]] = {
    "unreachable": ("the SMTP server does not respond", _UP),
    "timeout": ("the SMTP server does not respond in time", _UP),
    "connection-lost": ("the SMTP server closes the connection", _UP),
    "name": ("the SMTP server's name cannot be resolved", "Check `relay` under [mail], and this machine's DNS."),
    "tls-certificate": (
        "the SMTP server's certificate has expired, is for another host, or is from an unknown authority",
        "Fix it on the server, or set `relay` under [mail] to the name on the certificate.",
    ),
    "tls": ("no encrypted connection to the SMTP server was possible", _PORT),
    "no-tls": ("the SMTP server offers no encryption", _PORT),
    "auth": (
        "the SMTP server rejects the user name or password",
        "Check the user in `relay` under [mail] and the file keys/mail-password, then restart `troth serve`.",
    ),
    "relay-refuses": (
        "the SMTP server refuses connections from this machine",
        "Ask its operator. This machine's address may be on a block list.",
    ),
    "relay-busy": ("the SMTP server asked to try again later", ""),
    "strange-reply": ("the server's reply was not SMTP", "Check `relay` under [mail]."),
    "no-answer": ("the SMTP server did not confirm delivery", ""),
    "not-recorded": ("the disk refused to record that the email begins", "Free some space on the disk of keys/sent/."),
    "sender-refused": (
        "the SMTP server does not accept `sender`",
        "Check `sender` under [mail], or ask the server's operator.",
    ),
    "no-such-address": ("the address does not exist", ""),
    "recipient-refused": ("the address was rejected", ""),
    "mailbox-full": ("the mailbox is full", ""),
    "policy": ("rejected by the SMTP server's policy", _RULES),
    "content-refused": ("the SMTP server rejected the content", _RULES),
    "too-large": ("too large for the SMTP server", _RULES),
    "not-deliverable-here": ("the SMTP server does not support non-ASCII addresses", "Use one that supports SMTPUTF8."),
    "bad-address": ("the address is not valid", ""),
    "bad-mail": ("the email could not be composed", "Check `url` and `name` under [site]."),
    "leak": ("may contain someone else's details", _LOOK),
    "unchecked": ("could not be checked completely", _LOOK),
    "restored": ("restored from a backup, may already have been sent", _LOOK),
    "worker_stopped": ("the worker stopped while sending", "The log says why the worker stopped."),
    "no_longer_wanted": ("the link expired, or the person unsubscribed, paused or was deleted", ""),
    "person_cap": ("the address reached its daily limit of confirmation emails", ""),
    "domain_cap": ("the domain far exceeded its hourly limit of confirmation emails", ""),
    "dropped": ("discarded by an owner", ""),
    "cancelled": ("the campaign was cancelled", ""),
}
"""What each reason means, and how to fix it; empty where there is nothing to do."""
PATIENCE_HELPS = frozenset({"relay-busy", "mailbox-full", "no-answer"})
"""A mail that waits for one of these needs no attention."""
TOLD = ("queued", "uncertain", "failed", "held")
"""States whose reason an operator wants to know."""
_BECAME = {
    "queued": ("is waiting", "are waiting"),
    "uncertain": ("may have been sent", "may have been sent"),
    "failed": ("was rejected permanently", "were rejected permanently"),
    "held": ("is held", "are held"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """A number of mails in one state for one reason."""

    state: str
    reason: str
    count: int

    @property
    def what(self) -> str:
        """Return what the reason means, as a clause."""
        return WORDS.get(self.reason, (self.reason, ""))[0]

    @property
    def line(self) -> str:
        """Return a sentence: how many mails, their state, and why."""
        singular, many = _BECAME[self.state]
        return f"{self.count} {'email ' + singular if self.count == 1 else 'emails ' + many}: {self.what}."

    @property
    def mend(self) -> str:
        """Return what to do; empty if there is nothing."""
        return WORDS.get(self.reason, ("", ""))[1]

"""Why mails wait, failed or were held, in words for operators: the closed words of the outbox, and how to mend each.

Counts, states and words of ours; nobody's details, and never the relay's own text. docs/mail.md says more of each.
Django is needed for `told` alone: `troth doctor` asks the database by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_UP = "Is it up, and does no firewall stand before its port? `relay` under [mail] says where it is."
_PORT = "Use the port that fits: 465 with smtps://, 587 with smtp://."
_LOOK = "An owner looks at each in the office, and lets it go or drops it."
_RULES = "Check DKIM, SPF and DMARC (docs/mail.md), or ask the relay's operator."

WORDS: Mapping[str, tuple[str, str]] = {
    "unreachable": ("nobody answers at the relay", _UP),
    "timeout": ("the relay does not answer in time", _UP),
    "connection-lost": ("the relay hangs up", _UP),
    "name": ("the relay's name cannot be resolved", "Check `relay` under [mail], and this machine's DNS."),
    "tls-certificate": (
        "the relay's certificate is expired, another host's, or of an unknown authority",
        "Mend it at the relay, or write the name that is on it into `relay` under [mail].",
    ),
    "tls": ("no encryption came about with the relay", _PORT),
    "no-tls": ("the relay offers no encryption", _PORT),
    "auth": (
        "the relay does not take the user and password",
        "Check the user in `relay` under [mail], and the file keys/mail-password; then start `troth serve` again.",
    ),
    "relay-refuses": (
        "the relay does not want to talk to this machine",
        "Ask its operator: this machine's address may be on a block list.",
    ),
    "relay-busy": ("the relay asked to come back later", ""),
    "strange-reply": ("what answers does not speak as a mail relay does", "Check `relay` under [mail]."),
    "no-answer": ("the relay gave no answer at the end", ""),
    "sender-refused": ("the relay does not send for `sender`", "Check `sender` under [mail], or ask its operator."),
    "no-such-address": ("the address does not exist", ""),
    "recipient-refused": ("the address was not taken", ""),
    "mailbox-full": ("the mailbox takes no more at present", ""),
    "policy": ("refused by a rule of the relay's", _RULES),
    "content-refused": ("the relay does not like the mail itself", _RULES),
    "too-large": ("too large for the relay", _RULES),
    "not-deliverable-here": ("the relay cannot carry the letters in the address", "Use a relay with SMTPUTF8."),
    "bad-address": ("no mail can be made for that address", ""),
    "bad-mail": ("no mail can be made of that", "Check `url` and `name` under [site]."),
    "leak": ("there seem to be somebody else's details in there", _LOOK),
    "unchecked": ("not every part could be looked through", _LOOK),
    "restored": ("brought back by a restore, perhaps gone already", _LOOK),
    "worker_stopped": ("the worker ended in the middle", "The log says why the worker ended."),
    "no_longer_wanted": ("the link ran out, or the person left or was erased", ""),
    "person_cap": ("that address had its confirmation mails for the day", ""),
    "domain_cap": ("that domain had far more than its confirmation mails for the hour", ""),
    "dropped": ("an owner dropped it", ""),
}
"""Each reason: what it means, and how to mend it; no mend where there is nothing to do."""
PATIENCE_HELPS = frozenset({"relay-busy", "mailbox-full", "no-answer"})
"""A mail that waits for one of these needs nobody."""
TOLD = ("queued", "uncertain", "failed", "held")
"""States that have a reason an operator wants to know."""
_BECAME = {
    "queued": ("waits", "wait"),
    "uncertain": ("may have gone", "may have gone"),
    "failed": ("was refused for good", "were refused for good"),
    "held": ("is held", "are held"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """So many mails in one state for one reason."""

    state: str
    reason: str
    count: int

    @property
    def what(self) -> str:
        """What the reason means, as a clause."""
        return WORDS.get(self.reason, (self.reason, ""))[0]

    @property
    def line(self) -> str:
        """One sentence: how many, what became of them, and why."""
        singular, many = _BECAME[self.state]
        return f"{self.count} {'mail ' + singular if self.count == 1 else 'mails ' + many}: {self.what}."

    @property
    def mend(self) -> str:
        """What to do; empty where there is nothing."""
        return WORDS.get(self.reason, ("", ""))[1]


def told() -> list[Why]:
    """Why mails wait, failed, are held or uncertain; the most frequent first. What was never tried has no reason."""
    from django.db.models import Count

    from troth.gate.models import Delivery

    rows = Delivery.objects.filter(state__in=TOLD).exclude(reason="").values_list("state", "reason")
    return sorted((Why(*row) for row in rows.annotate(n=Count("id"))), key=lambda why: (-why.count, why.reason))

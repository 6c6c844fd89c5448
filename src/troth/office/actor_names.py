"""Who did something, in words: the ledger and the erasures name operators by opaque ids only."""

from collections.abc import Callable

from troth.office.models import Operator
from troth.vault import ledger

_ACTORS = {
    "worker": "Troth itself",
    "shell": "The shell of this machine",
    "person": "The person themselves",
    ledger.PROOF: "Proof run",
}


def names() -> Callable[[str], str]:
    """What tells an actor's name; the operators are asked for once."""
    operators = {str(one.id): one.name for one in Operator.objects.all()}
    return lambda actor: _ACTORS.get(actor) or operators.get(actor, "An operator who is gone")

"""Names of actors for pages: the access log and the deletion log store operators by random ids only."""

from collections.abc import Callable

from troth.office.models import Operator
from troth.vault import ledger

_ACTORS = {
    "worker": "Troth",
    "shell": "Command line on the server",
    "person": "The person",
    "program": "Your program, by API",
    ledger.PROOF: "Proof run",
}


def names() -> Callable[[str], str]:
    """Return a function from an actor to a name. It reads the operators once."""
    operators = {str(operator.id): operator.name for operator in Operator.objects.all()}
    return lambda actor: _ACTORS.get(actor) or operators.get(actor, "Former team member")

"""The prover: a process that checks every promise once, stores the results, and ends.

It may read all of the site's folder and its log; start programs (tests in the sandboxes and behind the tripwire, grep);
connect to the front, the database and its own mail relay in this process; write `data/` and the people's keys, for its
canaries. It sends nothing to anybody.
"""

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core import django_start
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.supervisor.brief import Brief

if TYPE_CHECKING:
    from troth.policy import proof_progress
    from troth.proofs import run as proofs
else:  # they import models, for which Django must know the site
    proof_progress = lazy("troth.policy.proof_progress")
    proofs = lazy("troth.proofs.run")


def run(brief: Brief) -> None:
    """Run all checks, or those that run every hour. Exits with 1 if a promise is not kept."""
    django_start.set_up(Path(brief.site))
    try:
        listener = socket.socket(fileno=brief.listener) if brief.listener is not None else None
        results = proofs.run(light=brief.word == "light", say=proof_progress.note, listener=listener)
    except TrothError as error:
        print(f"prove: {error}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)
    for promise in results:
        if promise.state != "kept":
            print(f"prove: {promise.id} is {promise.state}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(proofs.verdict(results))

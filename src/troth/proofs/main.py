"""The prover: a process of its own that tries every promise once, writes down what it found, and ends.

It may read all of the site's folder and its log, start programs (trials behind the front's fence and the tripwire,
grep), and connect to the front, the database and a mail relay of its own in this very process; write `data/` and the
people's keys, where its canaries come and go. It sends nothing to anybody.
"""

import os
import socket
import sys

from troth.supervisor.brief import Brief


def run(brief: Brief) -> None:
    """Try everything, or what is tried every hour. Ends with 1 where a promise is not kept."""
    os.environ["TROTH_SITE"] = brief.site
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    import django

    django.setup()
    from troth.core.errors import TrothError
    from troth.policy import proof_progress
    from troth.proofs import run

    try:
        listener = socket.socket(fileno=brief.listener) if brief.listener is not None else None
        results = run.run(light=brief.word == "light", say=proof_progress.note, listener=listener)
    except TrothError as error:
        print(f"prove: {error}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)
    for promise in results:
        if promise.state != "kept":
            print(f"prove: {promise.id} is {promise.state}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(run.verdict(results))

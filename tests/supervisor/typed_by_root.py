"""Types commands: on a site of root's own, so that everything is loaded, then each in a process of its own on the same
site, settled.

    python -m tests.supervisor.typed_by_root SITE < commands (JSON, lists of words)

Prints, as JSON, what came of each on the settled site, and whose the process was at its end. The tests' own Python may
lie where only root can read it: a process that is somebody else can load nothing more from there.
"""

import json
import os
import sys
from pathlib import Path

from typer.testing import CliRunner

from troth.cli.app import app
from troth.core.site import Site
from troth.supervisor import users


def typed(words):
    """What came of one command, in a process of its own."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        done = CliRunner().invoke(app, words)
        told = {"code": done.exit_code, "said": done.output[-3000:], "why": repr(done.exception), "user": os.geteuid()}
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = json.loads(pipe.read())
    os.waitpid(child, 0)
    return told


def main():
    """Type them all, three times."""
    site = Site(Path(sys.argv[1]))
    commands = [[*words, "--site", str(site.root)] for words in json.load(sys.stdin)]
    for words in commands * 2:  # what prints a person is loaded once there is one
        CliRunner().invoke(app, ["-h"] if "delete" in words else words)  # whoever is erased is not there twice

    from django.db import connections

    from troth.vault.keeper import keeper

    keeper().rest()
    connections.close_all()
    for left in site.root.parent.glob("*/*.new"):
        left.unlink()
    users.settle(site, users.known())
    print(json.dumps([{"words": words, **typed(words)} for words in commands]))


if __name__ == "__main__":
    main()

"""Restores a copy of a site again and again, each time killed one step later in the swap; says what then stood there.

    python -m tests.backup.killer BEFORE PLACE PAPER OPTIONS FILES...

Prints a line of JSON for each step. Killed is what does the restoring, by SIGKILL, right before its n-th change of the
folder (or before or after PostgreSQL's commit) since the swap began; nothing in the program knows of it. OPTIONS are
those of the restore, `every=3` for one step in three, and `undo=7` to be killed at step 7 and then while it is undone.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from django.db.transaction import Atomic

from tests.warm import warm
from troth.backup import restore, swap
from troth.backup.recovery_key import RecoveryKey
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.core.site_files import restore_marker
from troth.operate.doctor.examine import examine

CHANGES = ("rename", "replace", "unlink", "rmdir", "mkdir")
NOBODY = {"found": [], "mails": []}
"""Where there is no site, or one without its keys."""
INSIDE = 2
"""So many of the changes inside a folder that is removed whole are looked at; there is nothing new in the others."""


class Killer:
    """Ends this process at one step."""

    def __init__(self, step, armed_by=("Swap.begin", "Swap.whole")):
        self.step, self.done, self.inside, self.armed = step, 0, 0, False
        for name in CHANGES:
            setattr(os, name, self.before(getattr(os, name)))
        for name in armed_by:
            place, _, last = name.rpartition(".")
            owner = getattr(swap, place) if place else swap
            setattr(owner, last, self.arming(getattr(owner, last)))
        leave = Atomic.__exit__
        Atomic.__exit__ = lambda atomic, *error: (self.count(), leave(atomic, *error), self.count())[1]

    def arming(self, call):
        def armed(*arguments):
            self.armed = True
            return call(*arguments)

        return armed

    def before(self, change):
        def changed(*arguments, **named):
            self.inside += named.get("dir_fd") is not None
            if named.get("dir_fd") is None or self.inside <= INSIDE:
                self.count()
            return change(*arguments, **named)

        return changed

    def count(self):
        if not self.armed:
            return
        self.done += 1
        if self.done == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(work):
    """Do `work` in a child; the signal that killed it, or None, and what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.redirect_stderr(io.StringIO()):
            told = None
            with contextlib.suppress(TrothError):
                told = work()
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    told = b"".join(iter(lambda: os.read(reading, 65536), b""))
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else None), json.loads(told) if told else None


def restored(place, files, key, wish):
    try:
        return asdict(restore.restore(files, place, key, wish))
    except TrothError as error:
        return {"refused": f"{error} {error.mend}"}


def standing(place):
    """What stands there: whether it may serve, what doctor says of it, what is left."""
    site = Site(place)
    try:
        restore_marker.check(site)
        serves = place.exists()
    except TrothError:
        serves = False
    return {
        "serves": serves,
        "marker": site.restoring.exists(),
        "left": [path.name for path in restore_marker.remains(site)],
        "doctor": [finding.what for finding in examine(place) if "restore" in finding.what.lower()],
    }


def people(place):
    """Whose address leads to a record that opens."""
    os.environ["TROTH_SITE"], os.environ["DJANGO_SETTINGS_MODULE"] = str(place), "troth.django_settings"
    import django

    django.setup()
    from troth.core.personal import EmailAddress
    from troth.core.purpose import Reason
    from troth.gate.models import Delivery
    from troth.vault.keeper import keeper

    keeper().check()
    names = ("ada", "bob", "cyd", "dan", "eve")
    found = {name: keeper().find("worker", EmailAddress(f"{name}@example.com")) for name in names}
    opened = keeper().open_records(Reason.SHOW_PERSON, actor="t", person_ids=[one for one in found.values() if one])
    pending = keeper().open_records(
        Reason.SHOW_PERSON, actor="t", person_ids=[one for one in found.values() if one], kind="pending"
    )
    return {
        "found": [name for name, one in found.items() if one in opened or one in pending],
        "mails": sorted(Delivery.objects.values_list("state", flat=True)),
    }


def put(before, place):
    """The site as it was, or nothing."""
    for path in (place, place.parent / f".{place.name}.restore"):
        if path.exists():
            shutil.rmtree(path)
    if before.exists():
        shutil.copytree(before, place, symlinks=True)


def main():
    before, place, paper = map(Path, sys.argv[1:4])
    options, files = dict(one.partition("=")[::2] for one in sys.argv[4].split()), list(map(Path, sys.argv[5:]))
    key, wish = RecoveryKey.read(paper.read_text()), restore.Wish(replace="--replace" in options)
    warm()

    def kill(step, *armed_by):
        return forked(lambda: (Killer(step, *armed_by), restored(place, files, key, wish))[1])

    step, killed = 1 - int(options.get("every", 1)), signal.SIGKILL
    while killed:
        step += int(options.get("every", 1))
        put(before, place)
        if "undo" in options:
            assert kill(int(options["undo"]))[0] == signal.SIGKILL
            killed, told = kill(step, ("undo",))
        else:
            killed, told = kill(step)
        line = {"step": step, "killed": killed, "told": told, **forked(lambda: standing(place))[1]}
        if line["serves"]:
            line["before"] = forked(lambda: people(place))[1] or NOBODY
        if killed:
            line["again"] = forked(lambda: restored(place, files, key, wish))[1]
            line["after"] = {**forked(lambda: standing(place))[1], **(forked(lambda: people(place))[1] or NOBODY)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

"""Proofs of C3: details are given to nobody. What lies about is searched; the fences and the tripwire are tried.

May touch: every file of the site, its log and its backups (reading); a throwaway process behind the front's fence and
one behind the tripwire; the own front.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from troth.gate import doors as gate
from troth.gate import tripwire_log
from troth.policy import data_map
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments import canary_visit, file_scan
from troth.proofs.instruments.encodings import forms
from troth.supervisor import status_file
from troth.supervisor.status_file import Seen

_SOURCE = str(Path(__file__).resolve().parents[2])


def _sought(scene: Scene) -> list[bytes]:
    return forms(text for canary in scene.canaries for text in canary.texts())


def nothing_readable_lies_about(scene: Scene) -> Verdict:
    """No file of the site but the keys, no free page, no table, no backup carries a detail of a canary, in any form."""
    sought = _sought(scene)
    looked = file_scan.everywhere(scene, sought)
    if looked.places:
        return Verdict.broken(f"An invented person’s details can be read in {', '.join(looked.places[:5])}.")
    left = " The database itself is searched once a day." if file_scan.left_for_the_day(scene) else ""
    searched = f"{looked.files} files and {looked.size // 1024:,} KiB were searched"
    found = f"for {len(sought):,} forms of {len(scene.canaries)} invented people; none was found."
    return Verdict.kept(f"{searched} {found}{left}")


def nothing_is_logged(scene: Scene) -> Verdict:
    """Neither the log of the processes that serve, after a canary has called, nor what the rooms' code says while
    canaries are filed, has a detail of one."""
    told, sought = canary_visit.called(scene), _sought(scene)
    if _has_any(scene.said.encode(), sought):
        return Verdict.broken("The program says an invented person’s details while it files them.")
    _, where, words = file_scan.in_the_log(scene, sought)
    if where:
        return Verdict.broken(f"An invented person’s details stand in {', '.join(where[:3])}.")
    if told.trouble:
        return Verdict.unproven(told.trouble)
    return Verdict.kept(f"Searched after an invented visitor had called: {words}; and what the rooms’ code says.")


def _has_any(text: bytes, sought: list[bytes]) -> bool:
    return any(form in text for form in sought)


# -- the fences -------------------------------------------------------------------------------------------------------

_TRIES = """
import os, socket, sys
site = sys.argv[1]
def tried(name, call):
    try:
        call()
    except OSError:
        return
    print(name)
for what in sys.argv[2:]:
    how, _, place = what.partition(" ")
    path = f"{site}/{place}"
    if how == "list":
        tried(what, lambda: os.listdir(path))
    elif how == "read":
        tried(what, lambda: open(path, "rb").read(1))
    elif how == "write":
        tried(what, lambda: open(path, "wb"))
def link(path):
    os.symlink("/", path)
    os.unlink(path)
for place in ("data", "keys/people", "spool", "public"):
    tried(f"make a link in {place}", lambda: link(f"{site}/{place}/link"))
tried("make a TCP socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
tried("make a UDP socket", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
tried("make a UNIX socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
tried("signal its parent", lambda: os.kill(os.getppid(), 0))
tried("look at its parent", lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(1))
print("tried")
"""

_BEHIND_THE_FENCE = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from troth.supervisor.sandbox_shell import main
command = [sys.executable, "-I", "-S", "-c", sys.argv[2], sys.argv[1], *sys.argv[5:]]
main(Path(sys.argv[1]), sys.argv[4], command)
"""

_MAY_NOT = {
    "front": (
        *("list keys", "list data", "list spool", "read keys/people/slots", "read keys/site-id"),
        *("read data/troth.sqlite3", "read troth.toml", "write spool/x", "write public/x", "write data/x"),
    ),
    "clerk": ("list keys", "list data", "read keys/people/slots", "read troth.toml", "write public/x", "write data/x"),
    "office": ("list keys", "list keys/seal", "list keys/sign", "list spool", "write spool/x", "write public/x"),
}
"""What each must be refused, beside making a socket. The office's database is a file, or it inherits its port."""


def front_is_confined(scene: Scene) -> Verdict:
    """A process behind the fence of the front, of the clerk and of the office tries to read what is stored and not its
    own, to write, and to reach anybody: all refused."""
    for role, places_closed in _MAY_NOT.items():
        command = [sys.executable, "-c", _BEHIND_THE_FENCE, str(scene.site.root), _TRIES, _SOURCE, role]
        lines = _ran([*command, *places_closed])
        if "tried" not in lines:
            return Verdict.unproven(f"The trial behind the fence of the {role} did not run.")
        done_anyway = [line for line in lines if line and line != "tried"]
        if done_anyway:
            return Verdict.broken(f"Behind its fence the {role} could {', '.join(done_anyway)}.")
    done = "nothing that is not theirs could be read, nothing written, nobody reached"
    return Verdict.kept(f"Behind the fences of front, clerk and office {done}.")


def _ran(command: list[str]) -> list[str]:
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        command, capture_output=True, text=True, timeout=30, check=False, env={}
    )
    return done.stdout.split("\n")


_SUPERVISED_SECONDS = 30.0


def _serving(scene: Scene) -> list[Seen]:
    """The processes that serve and are there, as the supervisor saw them a moment ago; none where it has been silent,
    for their numbers may be others' by now."""
    told = status_file.read(scene.site.data)
    if told is None or abs(time.time() - told[0] / 1000) > _SUPERVISED_SECONDS:
        return []
    return [one for one in told[1] if one.up and Path(f"/proc/{one.pid}").exists()]


def fences_are_up(scene: Scene) -> Verdict:
    """The kernel says of each process that serves just now that it is confined."""
    serving = _serving(scene)
    if not serving:
        return Verdict.unproven("Nobody says which processes there are: is the site being served?")
    states = {one.name: _confined(one.pid) for one in serving}
    loose = [name for name, confined in states.items() if confined is False]
    if loose:
        return Verdict.broken(f"Without a fence: {', '.join(loose)}.")
    looked = [name for name, confined in states.items() if confined]
    if not looked:
        return Verdict.unproven("None of the processes that the supervisor names is there.")
    return Verdict.kept(f"{len(looked)} processes are confined, says the kernel: {', '.join(looked)}.")


def _confined(pid: int) -> bool | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None  # it ended since; its successor is looked at the next time
    held = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0000000000000000"}
    return all(re.search(rf"^{name}:\s*{value}$", status, re.MULTILINE) for name, value in held.items())


# -- the tripwire -----------------------------------------------------------------------------------------------------

_BEHIND_THE_WIRE = """
import json, socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from troth.gate import tripwire
from troth.gate.doors import Door
from troth.core.purpose import Purpose
tripwire.arm([Door(name, "", Purpose.ADMINISTRATION, frozenset(), host, port, kind)
              for name, host, port, kind in json.loads(sys.argv[2])])
def tried(name, call):
    try:
        call()
    except tripwire.WireTripped:
        return
    except OSError:
        pass
    print(name)
tried("connect", lambda: socket.socket().connect(("127.0.0.1", 9)))
tried("connect by IPv6", lambda: socket.socket(socket.AF_INET6).connect(("::1", 9)))
tried("send a datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
tried("look a name up", lambda: socket.getaddrinfo("undeclared.invalid", 443))
tried("start a program", lambda: subprocess.run(["/bin/true"]))
print("tried")
"""


def undeclared_is_refused(scene: Scene) -> Verdict:
    """Code behind the tripwire reaches nobody who is not declared; worker and office run behind it; and nothing that
    was done for a canary, in this process, tried to reach anybody."""
    for doors in (gate.declared(scene.config), gate.for_office(scene.config)):
        told = json.dumps([(one.name, one.host, one.port, one.encryption) for one in doors])
        lines = _ran([sys.executable, "-I", "-c", _BEHIND_THE_WIRE, _SOURCE, told])
        if "tried" not in lines:
            return Verdict.unproven("The trial behind the tripwire did not run.")
        done_anyway = [line for line in lines if line and line != "tried"]
        if done_anyway:
            return Verdict.broken(f"Behind the tripwire one could {', '.join(done_anyway)}.")
    if scene.reached:
        return Verdict.broken(f"While invented people were filed, {scene.reached[0]} tried to reach somebody.")
    if not {*tripwire_log.ROLES} <= {one.name for one in _serving(scene)}:
        return Verdict.unproven("Worker and office are not both at work just now: is the site being served?")
    without = [role for role in tripwire_log.ROLES if not _is_armed(scene, role)]
    if without:
        return Verdict.broken(f"Without its tripwire: {' and '.join(without)}.")
    return Verdict.kept(f"What is not declared was refused; worker and office are armed. {_refused(scene)}")


def _is_armed(scene: Scene, role: str) -> bool:
    """Whether the process that has this role armed itself. It may have started since the supervisor wrote it down."""
    until = time.monotonic() + 2 * status_file.WRITE_SECONDS
    while True:
        running = {one.pid for one in _serving(scene) if one.name == role}
        armed, _ = tripwire_log.read(tripwire_log.path(scene.site.data, role))
        if armed in running:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.25)


def _refused(scene: Scene) -> str:
    """What was refused since the last run, in words: what tried it is our own line of code."""
    since = scene.before.timestamp() * 1000 if scene.before else 0.0
    found = [
        refusal
        for role in tripwire_log.ROLES
        for refusal in tripwire_log.read(tripwire_log.path(scene.site.data, role))[1]
        if refusal.at_ms >= since
    ]
    if not found:
        return "They refused nothing since the last trial."
    return f"They refused {len(found)} attempts since the last trial, the newest: {found[-1].what}."


# -- the doors --------------------------------------------------------------------------------------------------------


def doors_are_those_of_the_policy(scene: Scene) -> Verdict:
    """The program declares the mail relay and the database of the settings, and no other destination; the page names
    them."""
    wanted = {"mail-relay": urlsplit(scene.config.mail.relay).hostname or ""}
    if scene.config.database.url:
        wanted["database"] = ""
    found = [*gate.declared(scene.config), *gate.for_office(scene.config)]
    strangers = [one.name for one in found if one.name not in wanted]
    strangers += [one.name for one in found if wanted.get(one.name) and one.host.lower() != wanted[one.name]]
    strangers += [one.name for one in found if one.name == "mail-relay" and {*one.categories} - {"email"}]
    if strangers:
        return Verdict.broken(f"The program has a destination that nobody was told of: {', '.join(strangers)}.")
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.unproven(f"The policy’s page answered {answer.status}.")
    missing = [who for who, _, _ in data_map.receivers(scene.config) if who not in answer.text]
    if missing:
        return Verdict.broken(f"{len(missing)} destinations are not named in the policy.")
    return Verdict.kept(
        f"All {len(data_map.receivers(scene.config))} who must carry something are named, and no other."
    )

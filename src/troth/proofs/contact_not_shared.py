"""Proofs of C3: details are given to nobody. They search everything stored, and test the sandboxes and the tripwire.

May touch: every file of the site, its log and its backups (reading); a throwaway process in each sandbox and one behind
the tripwire; the site's own front.
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
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_campaign, canary_visit, file_scan
from troth.proofs.instruments.encodings import forms
from troth.supervisor import status_file
from troth.supervisor.status_file import ChildStatus

_SOURCE = str(Path(__file__).resolve().parents[2])
_PROCESSES = {"front": "public server", "clerk": "intake", "worker": "worker", "office": "admin server"}
"""The processes' names as people read them."""


def _listed(names: list[str]) -> str:
    """Return process names in words; fronts are numbered (`front 2`)."""
    parts = (name.partition(" ") for name in names)
    return ", ".join(f"{_PROCESSES.get(role, role)}{space}{number}" for role, space, number in parts)


def _patterns(scene: Scene) -> list[bytes]:
    return forms(text for canary in scene.canaries for text in canary.texts())


@proof("shared.readable")
def no_details_stored_in_plain(scene: Scene) -> Verdict:
    """Check that no file but the keys, no free page, no table and no backup contains a canary's details in any form."""
    patterns = _patterns(scene)
    result = file_scan.everywhere(scene, patterns)
    if result.places:
        return Verdict.broken(f"A test person’s details can be read in {', '.join(result.places[:5])}.")
    note = " The database file is searched once a day." if file_scan.left_for_the_day(scene) else ""
    searched = f"Searched {result.files} files ({result.size // 1024:,} KiB)"
    scope = f"for the details of {len(scene.canaries)} test people in {len(patterns):,} forms; found none."
    return Verdict.kept(f"{searched} {scope}{note}")


@proof("shared.logs")
def no_details_logged(scene: Scene) -> Verdict:
    """Check that neither the processes' log after a canary's visit nor this process's output, while canaries are stored
    and sent a campaign, contains a canary's details."""
    call, patterns = canary_visit.called(scene), _patterns(scene)
    if _has_any(scene.output.encode(), patterns):
        return Verdict.broken("The program writes a test person’s details to its output while storing them.")
    if _has_any(canary_campaign.output(scene, scene.canaries).encode(), patterns):
        return Verdict.broken("The program writes a test person’s details to its output while sending them a campaign.")
    _, where, words = file_scan.in_the_log(scene, patterns)
    if where:
        return Verdict.broken(f"A test person’s details were found in {', '.join(where[:3])}.")
    if call.trouble:
        return Verdict.unproven(call.trouble)
    return Verdict.kept(f"After a test visit, searched {words} and the program’s output; found no details.")


def _has_any(text: bytes, patterns: list[bytes]) -> bool:
    return any(form in text for form in patterns)


# -- the fences -------------------------------------------------------------------------------------------------------

_ATTEMPTS = """
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

_IN_SANDBOX = """
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
"""What each sandbox must refuse, beside sockets. The office's database is a file, or a port it inherits."""


@proof("shared.confined")
def sandboxes_refuse_access(scene: Scene) -> Verdict:
    """Check that a process in the sandbox of front, clerk or office cannot read others' data, write, or connect."""
    for role, places_closed in _MAY_NOT.items():
        command = [sys.executable, "-c", _IN_SANDBOX, str(scene.site.root), _ATTEMPTS, _SOURCE, role]
        lines = _output_of([*command, *places_closed])
        if "tried" not in lines:
            return Verdict.unproven(f"The test in the sandbox of the {_PROCESSES[role]} did not run.")
        done_anyway = [line for line in lines if line and line != "tried"]
        if done_anyway:
            return Verdict.broken(f"In its sandbox, the {_PROCESSES[role]} could {', '.join(done_anyway)}.")
    return Verdict.kept(
        "In the sandboxes of the public server, intake and admin server, every attempt to read other data, to write "
        "or to open a connection was refused."
    )


def _output_of(command: list[str]) -> list[str]:
    process = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        command, capture_output=True, text=True, timeout=30, check=False, env={}
    )
    return process.stdout.split("\n")


_SUPERVISED_SECONDS = 30.0


def _running(scene: Scene) -> list[ChildStatus]:
    """Return the running processes as the supervisor last saw them; none if its report is old, as process ids are
    reused."""
    status = status_file.read(scene.site.data)
    if status is None or abs(time.time() - status[0] / 1000) > _SUPERVISED_SECONDS:
        return []
    return [process for process in status[1] if process.up and Path(f"/proc/{process.pid}").exists()]


@proof("shared.fences")
def processes_are_sandboxed(scene: Scene) -> Verdict:
    """Check that the kernel reports each running process as confined."""
    serving = _running(scene)
    if not serving:
        return Verdict.unproven("The supervisor reports no processes. Is the site running?")
    states = {process.name: _confined(process.pid) for process in serving}
    loose = [name for name, confined in states.items() if confined is False]
    if loose:
        return Verdict.broken(f"Running without a sandbox: {_listed(loose)}.")
    confined_names = [name for name, confined in states.items() if confined]
    if not confined_names:
        return Verdict.unproven("None of the processes that the supervisor lists exists.")
    return Verdict.kept(
        f"The kernel confirms that {len(confined_names)} processes are sandboxed: {_listed(confined_names)}."
    )


def _confined(pid: int) -> bool | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None  # it ended since; its successor is looked at the next time
    expected = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0000000000000000"}
    return all(re.search(rf"^{name}:\s*{value}$", status, re.MULTILINE) for name, value in expected.items())


# -- the tripwire -----------------------------------------------------------------------------------------------------

_BEHIND_TRIPWIRE = """
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


@proof("shared.wire")
def undeclared_connections_are_refused(scene: Scene) -> Verdict:
    """Check that the tripwire refuses undeclared connections, that worker and office run behind it, and that nothing
    done for a canary in this process tried to connect."""
    for doors in (gate.declared(scene.config), gate.for_office(scene.config)):
        declared = json.dumps([(door.name, door.host, door.port, door.encryption) for door in doors])
        lines = _output_of([sys.executable, "-I", "-c", _BEHIND_TRIPWIRE, _SOURCE, declared])
        if "tried" not in lines:
            return Verdict.unproven("The tripwire test did not run.")
        done_anyway = [line for line in lines if line and line != "tried"]
        if done_anyway:
            return Verdict.broken(f"The tripwire did not stop an attempt to {', '.join(done_anyway)}.")
    if scene.reached:
        return Verdict.broken(f"While test people were being stored, {scene.reached[0]} tried to open a connection.")
    if not {*tripwire_log.ROLES} <= {process.name for process in _running(scene)}:
        return Verdict.unproven("The worker and the admin server are not both running. Is the site running?")
    without = [role for role in tripwire_log.ROLES if not _is_armed(scene, role)]
    if without:
        return Verdict.broken(f"Running without its tripwire: {_listed(without)}.")
    return Verdict.kept(
        f"Undeclared connections were refused; the tripwire is active in worker and admin server. {_refused(scene)}"
    )


def _is_armed(scene: Scene, role: str) -> bool:
    """Return whether the process in this role has armed its tripwire. It may have started after the supervisor's last
    report."""
    until = time.monotonic() + 2 * status_file.WRITE_SECONDS
    while True:
        running = {process.pid for process in _running(scene) if process.name == role}
        armed, _ = tripwire_log.read(tripwire_log.path(scene.site.data, role))
        if armed in running:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.25)


def _refused(scene: Scene) -> str:
    """Return a sentence about what was refused since the last run; each refusal names our own line of code."""
    since = scene.before.timestamp() * 1000 if scene.before else 0.0
    refusals = [
        refusal
        for role in tripwire_log.ROLES
        for refusal in tripwire_log.read(tripwire_log.path(scene.site.data, role))[1]
        if refusal.at_ms >= since
    ]
    if not refusals:
        return "It has refused nothing since the last run."
    return f"It has refused {len(refusals)} attempts since the last run, most recently: {refusals[-1].attempt}."


# -- the doors --------------------------------------------------------------------------------------------------------


@proof("shared.doors")
def doors_match_policy(scene: Scene) -> Verdict:
    """Check that the program declares only the settings' mail relays, database and card company, and that the policy
    page names all recipients."""
    expected = {"mail-relay": urlsplit(scene.config.mail.relay).hostname or ""}
    expected |= {f"mail-relay-{relay.name}": urlsplit(relay.address).hostname or "" for relay in scene.config.relay}
    if scene.config.database.url:
        expected["database"] = ""
    if scene.config.shop.enabled:
        expected["card-company"] = urlsplit(scene.config.shop.api).hostname or ""
    declared = [*gate.declared(scene.config), *gate.for_office(scene.config)]
    strangers = [door.name for door in declared if door.name not in expected]
    strangers += [
        door.name for door in declared if expected.get(door.name) and door.host.lower() != expected[door.name]
    ]
    strangers += [door.name for door in declared if door.carries_mail and {*door.categories} - {"email"}]
    if strangers:
        return Verdict.broken(f"The program has a destination that the settings do not name: {', '.join(strangers)}.")
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.unproven(f"The policy page returned status {answer.status}.")
    missing = [receiver for receiver, _, _ in data_map.receivers(scene.config) if receiver not in answer.text]
    if missing:
        return Verdict.broken(f"{len(missing)} recipients are not named in the policy.")
    return Verdict.kept(
        f"All {len(data_map.receivers(scene.config))} recipients are named in the policy; there are no others."
    )

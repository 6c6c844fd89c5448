"""The users of the roles, shared by all test processes of this machine: the last to use them removes what was made."""

import contextlib
import fcntl
import grp
import json
import os
import pwd
import subprocess
import tempfile
from pathlib import Path

from troth.supervisor import roles, users

_STATE = Path(tempfile.gettempdir()) / "troth-test-users.json"


@contextlib.contextmanager
def _state():
    """What is known of who uses them and what was made for it, while nobody else changes it."""
    with _STATE.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        state = json.loads(text) if text else {"using": [], "made": []}
        state["using"] = [process for process in state["using"] if Path(f"/proc/{process}").exists()]
        yield state
        file.seek(0)
        file.truncate()
        file.write(json.dumps(state))


def _missing():
    """How those that do not exist yet are to be removed again."""
    return [["userdel", f"troth-{role}"] for role in roles.USERS if not _there(pwd.getpwnam, role)] + [
        ["groupdel", f"troth-{name}"] for name in roles.SHARED if not _there(grp.getgrnam, name)
    ]


def _there(look, name):
    try:
        look(f"troth-{name}")
    except KeyError:
        return False
    return True


@contextlib.contextmanager
def shared_users():
    """The users, for as long as somebody uses them."""
    with _state() as state:
        missing = _missing()
        try:
            made = users.ensure()
        finally:
            state["made"] += [one for one in missing if one not in state["made"] and one not in _missing()]
        state["using"].append(os.getpid())
    try:
        yield made
    finally:
        with _state() as state:
            state["using"].remove(os.getpid())
            if not state["using"]:
                for command in state["made"]:
                    subprocess.run(command, check=False, capture_output=True)
                state["made"] = []

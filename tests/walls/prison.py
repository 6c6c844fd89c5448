"""Runs code behind a role's real fence, started as the supervisor starts its children."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from troth.supervisor.brief import Brief, pack
from troth.supervisor.supervisor import import_path

SOURCE = Path(__file__).resolve().parents[2] / "src"

TRIES = """
import errno, json, os, socket, sys
found = {}
def attempt(name, what):
    try:
        what()
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error.errno))
    else:
        found[name] = "ALLOWED"
"""


@dataclass(frozen=True)
class Result:
    """What the tries found: errno names, or ALLOWED."""

    found: dict[str, str]
    stderr: str


def brief_for(role: str, root: Path, **more: object) -> Brief:
    """A brief as the supervisor writes it."""
    site = "" if role == "front" else str(root)
    made = Brief(role=role, public=str(root / "public"), site=site, path=import_path(), parent=os.getpid())
    return replace(made, **more)  # type: ignore[arg-type]


def run(brief: Brief, code: str, *, inherit: tuple[int, ...] = (), timeout: float = 60) -> Result:
    """Run `code`, which calls `attempt(name, callable)`, behind `brief`'s fence."""
    told, tell = os.pipe()
    start = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from troth.core.sandbox import restrict\nfrom troth.supervisor import apply_fence\n"
        "from troth.supervisor.brief import receive\n"
        f"brief = receive({told})\napply_fence.become(brief)\nrestrict.confine(apply_fence.fence(brief))\n"
        "sys.path[:0] = brief.path\n"
    )
    body = start + TRIES + code + "\nprint(json.dumps(found))\n"
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", body],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[told, *inherit],
        text=True,
    )
    os.close(told)
    with os.fdopen(tell, "wb") as pipe:
        pipe.write(pack(brief))
    out, err = child.communicate(timeout=timeout)
    assert child.returncode == 0, err
    return Result(json.loads(out.splitlines()[-1]), err)

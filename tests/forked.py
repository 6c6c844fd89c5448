"""Runs `python -c CODE WORDS...` in a child of a process that has imported all of Troth already (`tests.warm`).

To the code it is a process of its own: its arguments, environment, folder, standard streams, umask and end are those
that `subprocess.run` would give it. Only what Python itself reads when it starts is not looked at again, such as
PYTHONPATH or the locale: a test of a start, of a terminal or of signals starts its process itself.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import types
import warnings
from functools import cache
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]
_LONGEST = 1 << 20
_QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""What Python does not warn of where nobody asked it to."""


def run(code, *words, env, strict=False, cwd=None, stdin="", timeout=120):
    """Run the code to its end; what it wrote, and how it ended. `strict`: with `-W error`."""
    os.umask(umask := os.umask(0))
    asked = {
        "code": code,
        "words": [str(word) for word in words],
        "env": dict(env),
        "strict": strict,
        "cwd": str(cwd or Path.cwd()),
        "umask": umask,
    }
    (typed, typing), (out, says), (errors, complains) = os.pipe(), os.pipe(), os.pipe()
    line = _line(os.getpid())
    socket.send_fds(line, [json.dumps(asked).encode()], [typed, says, complains])
    for descriptor in (typed, says, complains):
        os.close(descriptor)
    told: dict[int, bytes] = {}
    threads = [Thread(target=_hear, args=(end, told)) for end in (out, errors)]
    threads.append(Thread(target=_type, args=(typing, stdin.encode())))
    for thread in threads:
        thread.start()
    status = _ended(line, timeout)
    for thread in threads:
        thread.join()
    if status is None:
        raise subprocess.TimeoutExpired(code, timeout)
    texts = (told[end].decode().replace("\r\n", "\n") for end in (out, errors))
    return subprocess.CompletedProcess(["python", "-c", code, *asked["words"]], status, *texts)


def _hear(end, told):
    with os.fdopen(end, "rb") as pipe:
        told[end] = pipe.read()


def _type(end, text):
    try:
        with os.fdopen(end, "wb") as pipe:
            pipe.write(text)
    except BrokenPipeError:
        pass  # it did not want to know


def _ended(line, timeout):
    """How it ended, as `subprocess` says it; None where it had to be killed."""
    pid = int(line.recv(_LONGEST))
    line.settimeout(timeout)
    try:
        return os.waitstatus_to_exitcode(int(line.recv(_LONGEST)))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        line.settimeout(None)
        line.recv(_LONGEST)
        return None
    finally:
        line.settimeout(None)


@cache
def _line(_pid):
    """A line to the process that forks, which ends when this one does. `_pid`: a fork of ours has one of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-W", "error", "-m", "tests.forked", str(theirs.fileno())]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    process.returncode = 0  # it ends after us: nobody waits for it
    theirs.close()
    atexit.register(ours.close)
    return ours


def _asked(line):
    """In a child: what it is to do. In the process that forks: None, when nobody wants anything any more."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, _LONGEST, 3)
        if not message:
            return None
        child = os.fork()
        if child == 0:
            line.detach()
            return json.loads(message), descriptors
        for descriptor in descriptors:
            os.close(descriptor)
        line.send(str(child).encode())
        line.send(str(os.waitpid(child, 0)[1]).encode())


def _become(asked, descriptors):
    """What a new process would be."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.umask(asked["umask"])
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    sys.argv, sys.path[0] = ["-c", *asked["words"]], ""
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    if not asked["strict"]:
        warnings.resetwarnings()
        for category in _QUIET:
            warnings.simplefilter("ignore", category)


def main():
    """Fork for each that is asked for. Returns in the child, which ends as a process does that has run its code."""
    from tests.warm import warm

    warm()
    with socket.socket(fileno=int(sys.argv[1])) as line:
        asked = _asked(line)
    if asked is None:
        return
    _become(*asked)
    sys.modules["__main__"] = own = types.ModuleType("__main__")
    exec(compile(asked[0]["code"], "<string>", "exec"), own.__dict__)


if __name__ == "__main__":
    main()

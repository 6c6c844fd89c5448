"""The supervisor keeps every process alive, ends them in the order that loses nothing, says what it cannot start."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from bench.site import free_port
from troth.core.errors import TrothError
from troth.core.sandbox import restrict
from troth.operate import create_site
from troth.supervisor import roles
from troth.supervisor.ports import of_database
from troth.supervisor.supervisor import Child, Supervisor

pytestmark = pytest.mark.walls
EVERYBODY = ["clerk", "front 0", "front 1", "office", "worker"]

# A supervisor that tells who lives, and whom it sends which signal.
DRIVER = """
import json, sys
from pathlib import Path
from troth.cli import main
from troth.supervisor import supervisor as module
told = Path(sys.argv[1]) / "told"
class Telling(module.Supervisor):
    def _turn(self, *more):
        super()._turn(*more)
        living = {one.name: [one.process.pid, one.ready_at is not None] for one in self._children if one.process}
        part = told.with_suffix(".part")
        part.write_text(json.dumps(living))
        part.rename(told)
    def _signal(self, child, number):
        super()._signal(child, number)
        with told.with_suffix(".signals").open("a") as file:
            file.write(f"{child.name}:{number.name}\\n")
module.Supervisor = Telling
main(lambda: sys.exit(module.serve(Path(sys.argv[1]), one_user=True)))
"""


def settings(root, port, office, more=""):
    (root / "troth.toml").write_text(
        f'[site]\nname = "Example Software"\nurl = "http://127.0.0.1:{port}"\n'
        f'[front]\nlisten = "127.0.0.1:{port}"\nworkers = 2\n{more}'
        f'[office]\nlisten = "127.0.0.1:{office}"\nurl = "http://localhost:{office}"\n'
        '[mail]\nrelay = "smtp://localhost:9"\n'
    )


class Serving:
    """A site that is served by a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        settings(root, self.port, free_port())
        self.log = root.parent / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-c", DRIVER, str(root)], stdout=log, stderr=log)

    def said(self) -> str:
        return self.log.read_text()

    def until(self, what, seconds: float = 30.0):
        """Wait until `what()` is true; returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := what():
                return found
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)
        raise AssertionError(self.said())

    def living(self) -> dict[str, int]:
        """Process ids of those that serve; empty until all do."""
        told = self.root / "told"
        children = json.loads(told.read_text()) if told.exists() else {}
        serve = {name: pid for name, (pid, ready) in children.items() if ready}
        return serve if sorted(serve) == EVERYBODY else {}

    def healthy(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
            return answer.status == 200

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def root(tmp_path):
    if not restrict.survey().enough:
        pytest.fail(f"this kernel cannot hold the wall: {restrict.survey().missing()}")
    return create_site.init(tmp_path / "site").root


@pytest.fixture
def serving(root):
    made = Serving(root)
    try:
        made.until(made.living)
        yield made
    finally:
        if made.process.poll() is None:
            made.end()


def test_a_killed_child_is_started_again_and_the_others_stay(serving):
    before = serving.living()
    time.sleep(1.1)  # a child that served for a second is started again at once
    for name in EVERYBODY:
        os.kill(before[name], signal.SIGKILL)
    after = serving.until(lambda: (now := serving.living()) and set(now.values()).isdisjoint(before.values()) and now)
    assert serving.healthy()
    for name in EVERYBODY:
        assert f"the {roles.label_of(name)} was killed by SIGKILL; restarting" in serving.said()
    os.kill(after["office"], signal.SIGTERM)
    serving.until(lambda: (now := serving.living()) and now["office"] != after["office"] and now)
    assert {name: pid for name, pid in serving.living().items() if name != "office"} == {
        name: pid for name, pid in after.items() if name != "office"
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_those_who_take_before_those_who_keep_and_the_worker_last(serving, number):
    children = [psutil.Process(pid) for pid in serving.living().values()]
    assert serving.end(number) == 0
    signals = (serving.root / "told.signals").read_text().split("\n")[:-1]
    signals = [one for one in signals if not one.startswith("prove:")]  # on a slow machine one is at work by now
    assert signals == ["front 0:SIGTERM", "front 1:SIGTERM", "office:SIGTERM", "clerk:SIGTERM", "worker:SIGTERM"]
    assert not any(child.is_running() for child in children)
    assert "did not end in time" not in serving.said()


def test_no_child_outlives_a_supervisor_that_is_killed(serving):
    children = [psutil.Process(pid) for pid in serving.living().values()]
    assert serving.end(signal.SIGKILL) == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=40)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_has_no_environment_no_terminal_and_no_file_that_is_not_its_own(serving):
    for name, pid in serving.living().items():
        assert Path(f"/proc/{pid}/environ").read_bytes() == b"", name
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null", name
        assert os.readlink(f"/proc/{pid}/cwd") == "/", name
        ours = {place for place in _held(pid) if place.startswith(str(serving.root))}
        wanted = {
            "clerk": ("spool",),
            "worker": ("data", "keys/people", "keys/sent"),
            "office": ("data", "keys/people"),
        }
        allowed = tuple(str(serving.root / part) for part in wanted.get(name, ()))
        assert [place for place in ours if not place.startswith(allowed)] == [], name


def _held(pid):
    """What a process holds open, and not what it happens to be reading at one look (the worker looks at what it
    published, every ten seconds)."""
    looks = []
    for _ in range(4):
        here, numbers = set(), os.listdir(f"/proc/{pid}/fd")
        for number in numbers:
            with contextlib.suppress(FileNotFoundError):
                here.add(os.readlink(f"/proc/{pid}/fd/{number}"))
        looks.append(here)
        time.sleep(0.2)
    return set.intersection(*looks)


def test_a_child_that_cannot_start_ends_everything_with_its_reason(root):
    (root / "keys/sign/1.key").write_bytes(b"cut")
    serving = Serving(root)
    assert serving.process.wait(60) == 1
    said = serving.said()
    assert "keys/sign/1.key is not whole" in said and "Put keys/sign/ back" in said
    assert "The worker can't start with this site's settings" in said
    assert "restarting" not in said and "Traceback" not in said


def test_without_its_key_the_office_does_not_take_one_for_as_long_as_it_runs(root):
    (root / "keys/office/secret.key").unlink()
    serving = Serving(root)
    assert serving.process.wait(60) == 1
    assert "keys/office/secret.key is missing or too short. Restore it from your backup" in serving.said()
    assert "The admin server can't start with this site's settings" in serving.said()
    assert not (root / "keys/office/secret.key").exists()


@pytest.mark.parametrize(
    ("part", "mend"), [("data", "troth restore"), ("keys/people", "troth restore"), ("spool", "mkdir -m 700")]
)
def test_a_missing_folder_is_told_before_anything_starts(root, part, mend):
    shutil.rmtree(root / part)
    code = (
        "import sys; from pathlib import Path\n"
        "from troth.cli import main; from troth.supervisor.supervisor import serve\n"
        f"main(lambda: sys.exit(serve(Path({str(root)!r}), one_user=True)))"
    )
    settings(root, free_port(), free_port())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"{root / part} is missing.\n{mend}" in done.stderr.replace("Put it back from your backup: `", "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "ports"),
    [
        ("", []),
        ("postgresql://troth@127.0.0.1:5433/troth", [5433]),
        ("postgresql://troth@127.0.0.1/troth", [5432]),
        ("postgresql://127.0.0.1:5433/troth", [5433]),
        ("postgresql://troth@[::1]:5433/troth", [5433]),
        ("postgresql://troth@[::1]/troth", [5432]),
    ],
)
def test_the_office_may_reach_its_databases_port_and_no_other(root, url, ports):
    text = (root / "troth.toml").read_text().replace('# url = ""', f'url = "{url}"')
    (root / "troth.toml").write_text(text)
    assert of_database(Supervisor(root).config) == ports


def test_wrong_settings_start_nothing(root):
    (root / "troth.toml").write_text("[site]\n")
    with pytest.raises(TrothError, match="settings are wrong"):
        Supervisor(root)


def test_what_the_launcher_has_in_memory_is_dumped_nowhere_whatever_ends_it(root):
    code = (
        "import ctypes, pathlib, sys; from troth.supervisor.supervisor import Supervisor; "
        "libc = ctypes.CDLL(None); before = libc.prctl(3, 0, 0, 0, 0); "
        "Supervisor(pathlib.Path(sys.argv[1])); print(before, libc.prctl(3, 0, 0, 0, 0))"
    )
    told = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "0"]


def test_a_trial_that_hangs_is_killed_with_all_that_it_started_and_the_next_one_can_be_sent(root, tmp_path):
    supervisor = Supervisor(root, one_user=True)
    brief = supervisor._brief("prove", {})
    hanging = subprocess.Popen(["sh", "-c", f"sleep 600 & echo $! > {tmp_path}/started; wait"], start_new_session=True)
    until = time.monotonic() + 10
    while not (tmp_path / "started").exists() or not (tmp_path / "started").read_text().strip():
        assert time.monotonic() < until
        time.sleep(0.01)
    with (tmp_path / "log").open("wb") as log:
        supervisor._log = log.fileno()
        supervisor._errands = [Child(brief, [], hanging, must_end_at=time.monotonic() + 60)]
        supervisor._follow_errands()
        assert supervisor._running("prove") and hanging.poll() is None
        supervisor._errands[0].must_end_at = time.monotonic() - 1
        supervisor._follow_errands()
        supervisor._follow_errands()
        assert not supervisor._running("prove") and hanging.poll() == -signal.SIGKILL
    assert "run of the checks had not finished after 30 minutes and was killed" in (tmp_path / "log").read_text()
    started = int((tmp_path / "started").read_text())
    until = time.monotonic() + 10  # the kernel kills a moment after it was asked to
    while psutil.pid_exists(started) and psutil.Process(started).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.01)

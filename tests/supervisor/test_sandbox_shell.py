"""`troth sandbox front -- ...`: a program behind the front's fence can neither tell nor take, nor can its children."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from troth.core.sandbox import restrict
from troth.operate import create_site
from troth.supervisor import sandbox_shell

pytestmark = pytest.mark.walls
CODE = "import sys; from troth.cli import main; main()"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A site with something in each folder."""
    if not restrict.survey().enough:
        pytest.fail(f"this kernel cannot hold the wall: {restrict.survey().missing()}")
    made = create_site.init(tmp_path_factory.mktemp("fence") / "site").root
    (made / "spool/0000000000000001.seg").write_bytes(b"acknowledged")
    (made / "data/troth.sqlite3").write_bytes(b"records")
    (made / "public/open").write_text("anyone's")
    return made


def behind(root, *command, role="front", inherit=()):
    """Run `command` behind the fence of `role`."""
    return subprocess.run(
        [sys.executable, "-c", CODE, "sandbox", role, "--site", str(root), "--", *command],
        capture_output=True,
        text=True,
        timeout=60,
        pass_fds=inherit,
        env={"PATH": os.environ["PATH"], "TROTH_SECRET": "hush"},
    )


def refused(done):
    assert done.returncode != 0, done.stdout
    assert "ermission denied" in done.stderr or "not permitted" in done.stderr, done.stderr


def python(code):
    return sys.executable, "-I", "-S", "-c", code


def test_it_runs_a_program_and_passes_on_its_words_and_its_end(root):
    done = behind(root, "/bin/sh", "-c", "echo hello; exit 7")
    assert (done.stdout, done.returncode) == ("hello\n", 7)


def test_what_is_public_can_be_read(root):
    assert behind(root, "cat", str(root / "public/open")).stdout == "anyone's"


@pytest.mark.parametrize(
    "place",
    [
        "keys/site-id",
        "keys/people/slots",
        "data/troth.sqlite3",
        "spool/0000000000000001.seg",
        "troth.toml",
        "policy.md",
    ],
)
def test_nothing_else_of_the_site_can_be_read(root, place):
    assert (root / place).read_bytes()
    refused(behind(root, "cat", str(root / place)))


@pytest.mark.parametrize("place", ["keys", "data", "spool", "."])
def test_no_other_folder_can_be_listed(root, place):
    refused(behind(root, "ls", str(root / place)))


def test_nothing_can_be_written_not_even_what_is_public(root):
    frame = root / "spool/0000000000000001.seg"
    for command in (f"echo x > {root}/public/new", f"echo x >> {frame}", f"rm {frame}", f"mkdir {root}/data/new"):
        refused(behind(root, "/bin/sh", "-c", command))
    assert frame.read_bytes() == b"acknowledged"


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection({tcp!r})",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {tcp!r})",
        "socket.socket(socket.AF_UNIX).connect({unix!r})",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', {unix!r})",
        "socket.socket(socket.AF_INET).sendto(b'x', 0x20000000, {tcp!r})",
    ],
    ids=["TCP", "UDP", "UNIX path", "UNIX datagram", "fast open"],
)
def test_nobody_can_be_reached_by_it_nor_by_its_child(root, tmp_path, call):
    with socket.create_server(("127.0.0.1", 0)) as company, socket.socket(socket.AF_UNIX) as door:
        path = str(tmp_path / "door")
        door.bind(path)
        door.listen()
        code = "import socket\n" + call.format(tcp=company.getsockname(), unix=path)
        if "sendto" not in call:  # outside of the fence it can be done
            subprocess.run(python(code), check=True)
        refused(behind(root, *python(code)))
        child = f"import subprocess, sys; sys.exit(subprocess.call({[*python(code)]!r}))"
        refused(behind(root, *python(child)))


def test_a_child_of_a_child_does_not_escape(root):
    refused(behind(root, "/bin/sh", "-c", f"/bin/sh -c 'cat {root}/keys/people/slots'"))
    refused(behind(root, "/bin/sh", "-c", f"(cat {root}/keys/people/slots) & wait $!"))
    refused(behind(root, "setsid", "-w", "cat", str(root / "keys/people/slots")))


def test_no_signal_reaches_a_process_outside(root):
    with subprocess.Popen(["sleep", "60"]) as outside:
        try:
            refused(behind(root, "/bin/sh", "-c", f"kill -9 {outside.pid}"))
            assert outside.poll() is None
        finally:
            outside.kill()


def test_the_environment_is_left_behind(root):
    assert "hush" not in behind(root, "env").stdout


def test_a_front_has_no_terminal_of_ours_to_type_into_and_no_other_process_to_look_at(root):
    refused(behind(root, "cat", f"/proc/{os.getpid()}/environ"))


def test_a_worker_reads_keys_and_a_front_does_not(root):
    assert behind(root, "cat", str(root / "keys/site-id"), role="worker").returncode == 0
    refused(behind(root, "cat", str(root / "keys/site-id"), role="clerk"))
    refused(behind(root, "cat", str(next((root / "keys/seal").iterdir())), role="office"))


def test_a_program_that_is_not_there_and_a_role_that_is_not_are_told(root):
    done = behind(root, "no-such-program")
    assert done.returncode == 1 and "no-such-program can't be run in the sandbox" in done.stderr
    done = behind(root, "true", role="owner")
    assert done.returncode == 2 and "owner" in done.stderr
    with pytest.raises(Exception, match="no process called owner") as error:
        sandbox_shell.main(root, "owner", [])
    assert "front, clerk, worker, office" in error.value.mend


def test_a_site_inside_of_what_every_process_reads_is_refused(tmp_path):
    import sysconfig

    place = Path(sysconfig.get_path("purelib")) / "site-of-a-test"
    done = behind(place, "true", role="worker")
    assert done.returncode == 1 and "Move the site's folder" in done.stderr
    assert not place.exists()

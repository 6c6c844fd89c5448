"""A Debian 13 of its own: debootstrapped once, copied for each trial, booted by systemd-nspawn with systemd as PID 1.

Its network is private: nothing but loopback. Of the calls that systemd-nspawn forbids a machine, Landlock's three are
allowed, on which the fences stand. Needs root, debootstrap and systemd-container. Source: systemd-nspawn(1),
debootstrap(8).
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE, PYTHON = "trixie", "3.13"
PACKAGES = (
    "systemd systemd-sysv dbus python3 python3-venv ca-certificates passwd procps openssl caddy nginx-light postgresql"
)
CHECKOUT = Path(__file__).parents[2]
_BASE = CHECKOUT / ".tools" / f"road-{SUITE}"
_LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
_BOOT = """
mount --make-rprivate / &&
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi &&
exec systemd-nspawn --quiet --directory="$1" --machine=troth-road --register=no --keep-unit --private-network \
    --console=pipe --system-call-filter="$2" --boot
"""
"""In a mount namespace of its own: systemd of today wants the second version of control groups alone."""


class CannotBoot(Exception):
    """This machine cannot make or boot such a machine; the words say why and what to do."""


def check() -> None:
    """Raise `CannotBoot` where something is missing."""
    if os.geteuid() != 0:
        raise CannotBoot("Only root can make and boot a machine: run it as root.")
    missing = [tool for tool in ("debootstrap", "systemd-nspawn", "unshare") if not shutil.which(tool)]
    if missing:
        raise CannotBoot(f"There is no {' and no '.join(missing)}: apt-get install debootstrap systemd-container.")
    if sysconfig.get_python_version() != PYTHON:
        raise CannotBoot(
            f"Debian 13 has Python {PYTHON}, and packages from a Python {sysconfig.get_python_version()} do not run "
            f"there: make PYTHON=/path/to/python{PYTHON} trial."
        )


def base() -> Path:
    """The debootstrapped system, made once. Raises `CannotBoot`."""
    if (_BASE / "made").exists():
        return _BASE / "root"
    shutil.rmtree(_BASE, ignore_errors=True)
    _BASE.mkdir(parents=True)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES.replace(' ', ',')}", SUITE]
    done = subprocess.run([*command, str(_BASE / "root"), *_mirror()], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotBoot(f"debootstrap failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    (_BASE / "made").touch()
    return _BASE / "root"


def _mirror() -> list[str]:
    """Where this machine has its Debian packages from, as apt knows it; debootstrap's own default elsewhere."""
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [uri for origin, label, uri in (line.split("|", 2) for line in told) if (origin, label) == ("Debian",) * 2]
    return found[:1]


@contextmanager
def machine() -> Iterator[Path]:
    """A copy of the system with Troth in it, as a newcomer has it. Gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="troth-road-", dir="/var/tmp") as folder:
        root = Path(folder) / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(base()), str(root)], check=True)
        _install(root)
        yield root


def _install(root: Path) -> None:
    """The checkout in /opt/troth, and its packages in a venv of the machine's own Python: no network is needed."""
    there = root / "opt/troth"
    there.mkdir(mode=0o755)
    listed = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, check=True).stdout.decode().split("\0")
    for name in (name for name in names if name and (CHECKOUT / name).is_file()):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, there / name)
    for built in CHECKOUT.glob("src/troth/*/static/vendor"):
        shutil.copytree(built, there / built.relative_to(CHECKOUT))
    subprocess.run(["chroot", str(root), "python3", "-m", "venv", "--without-pip", "/opt/troth/.venv"], check=True)
    packages = there / f".venv/lib/python{PYTHON}/site-packages"
    left_out = shutil.ignore_patterns("__pycache__", "troth.pth")
    shutil.copytree(sysconfig.get_path("purelib"), packages, ignore=left_out, dirs_exist_ok=True)
    (packages / "troth.pth").write_text("/opt/troth/src\n")
    command = there / ".venv/bin/troth"
    command.write_text("#!/opt/troth/.venv/bin/python\nimport sys\nfrom troth.cli import main\nsys.exit(main())\n")
    command.chmod(0o755)


def boot(root: Path, seconds: float) -> str:
    """Boot it until it powers itself off; what its console said. Raises `CannotBoot` where it never came up."""
    with tempfile.TemporaryFile() as console:
        command = ["unshare", "--mount", "sh", "-c", _BOOT, "boot", str(root), _LANDLOCK]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT) as running:
            _follow(running, root / "road.log", time.monotonic() + seconds)
        console.seek(0)
        said = console.read().decode("utf-8", "replace")
    if not (root / "road.log").exists():
        raise CannotBoot(f"The machine did not come up:\n{said[-3000:]}")
    return said


def _follow(running: "subprocess.Popen[bytes]", log: Path, until: float) -> None:
    """Print what the trial writes inside, until the machine is off, or its time is over."""
    at = 0
    while running.poll() is None and time.monotonic() < until:
        time.sleep(0.5)
        at = _printed(log, at)
    if running.poll() is None:
        running.kill()  # its init goes with it
        print("✗ the machine was stopped: its time was over", flush=True)
    running.wait()
    _printed(log, at)


def _printed(log: Path, at: int) -> int:
    if not log.exists():
        return at
    with log.open("rb") as file:
        file.seek(at)
        sys.stdout.write(file.read().decode("utf-8", "replace"))
        sys.stdout.flush()
        return file.tell()

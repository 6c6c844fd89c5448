"""What clerk, worker and office may reach: the table in docs/architecture.md, tried from behind each fence."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.walls.prison import brief_for, run
from troth.core.config.sections import Config, DatabaseSection, MailSection, SiteSection
from troth.gate import doors
from troth.supervisor import ports

pytestmark = pytest.mark.walls
REFUSED = {"EPERM", "EACCES"}
STARTS_NOTHING = """
import subprocess
attempt("fork", os.fork)
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
attempt("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("ptrace memory", lambda: open("/proc/1/mem", "rb"))
"""


def tries(root: Path, action: str, names: list[str]) -> str:
    """Code that reads or makes each of `names` in the site's folder."""
    if action == "read":
        return f"for name in {names!r}: attempt(name, lambda: open({str(root)!r} + '/' + name).read())\n"
    return f"for name in {names!r}: attempt(name, lambda: open({str(root)!r} + '/' + name + '/new', 'w').close())\n"


def test_the_clerk_writes_the_spool_and_nothing_else(folders: Path) -> None:
    brief = brief_for("clerk", folders)
    assert run(brief, tries(folders, "make", ["spool"])).found == {"spool": "ALLOWED"}
    code = tries(folders, "make", ["keys", "keys/people", "data", "public", "asks", "offers", "."])
    code += tries(folders, "read", ["keys/secret", "data/secret", "troth.toml", "public/gen-1/open"])
    code += (
        "attempt('socket', socket.socket)\nattempt('unix', lambda: socket.socket(socket.AF_UNIX))\n" + STARTS_NOTHING
    )
    found = run(brief, code).found
    assert set(found.values()) <= REFUSED, found


def test_the_office_reads_no_sealing_or_signing_key_and_opens_no_socket(folders: Path) -> None:
    brief = brief_for("office", folders)
    allowed = run(brief, tries(folders, "read", ["keys/people/secret", "data/secret", "troth.toml"])).found
    assert set(allowed.values()) == {"ALLOWED"}, allowed
    code = tries(folders, "read", ["keys/secret", "keys/seal/secret", "spool/0000000000000001.seg", "asks/secret"])
    code += tries(folders, "make", ["keys", "keys/seal", "keys/sign", "spool", "public", "asks", "."])
    code += "attempt('socket', socket.socket)\nattempt('udp', lambda: socket.socket(type=socket.SOCK_DGRAM))\n"
    found = run(brief, code + STARTS_NOTHING).found
    assert set(found.values()) <= REFUSED, found


def test_the_office_with_a_database_server_reaches_that_port_and_no_other(folders: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as database, socket.create_server(("127.0.0.1", 0)) as other:
        brief = brief_for("office", folders, ports=[database.getsockname()[1]])
        code = f"""
attempt("database", lambda: socket.create_connection({database.getsockname()!r}).close())
attempt("other", lambda: socket.create_connection({other.getsockname()!r}).close())
"""
        assert run(brief, code).found == {"database": "ALLOWED", "other": "EACCES"}


def test_the_worker_reaches_its_relays_port_and_no_other(folders: Path) -> None:
    """C code asks no tripwire: what the kernel can hold, it holds."""
    with socket.create_server(("127.0.0.1", 0)) as relay, socket.create_server(("127.0.0.1", 0)) as other:
        brief = brief_for("worker", folders, ports=[relay.getsockname()[1]])
        code = f"""
attempt("relay", lambda: socket.create_connection({relay.getsockname()!r}).close())
attempt("other", lambda: socket.create_connection({other.getsockname()!r}).close())
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("between machines", lambda: socket.socket(40, socket.SOCK_STREAM))
"""
        found = run(brief, code).found
        assert found.pop("relay") == "ALLOWED" and set(found.values()) <= REFUSED, found


def test_whoever_looks_up_dns_records_reads_no_data_and_reaches_the_name_servers_port_alone(folders: Path) -> None:
    (folders / "data/sender-dns").mkdir()
    (folders / "keys/dkim").mkdir(exist_ok=True)
    (folders / "keys/dkim/secret").write_text("key")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        brief = brief_for("dns", folders, ports=[server.getsockname()[1]])
        allowed = tries(folders, "read", ["troth.toml", "keys/dkim/secret"]) + tries(
            folders, "make", ["data/sender-dns"]
        )
        allowed += f"attempt('server', lambda: socket.create_connection({server.getsockname()!r}).close())\n"
        assert set(run(brief, allowed).found.values()) == {"ALLOWED"}
        code = tries(folders, "read", ["keys/secret", "data/secret", "spool/0000000000000001.seg"]) + STARTS_NOTHING
        code += tries(folders, "make", ["data", "keys/dkim", "spool", "public"])
        code += f"attempt('other', lambda: socket.create_connection({other.getsockname()!r}).close())\n"
        found = run(brief, code).found
        assert set(found.values()) <= REFUSED, found


def test_the_supervisor_names_the_ports_of_relay_database_and_resolver() -> None:
    site = SiteSection(name="Example Software", url="http://127.0.0.1:8080")

    def ports_for(relay: str, database: str = "") -> list[int]:
        config = Config(site=site, mail=MailSection(relay=relay), database=DatabaseSection(url=database))
        found = ports.of_worker(config)
        assert {door.port for door in doors.declared(config)} <= set(found)
        assert {door.port for door in doors.for_office(config)} == set(ports.of_database(config))
        return found

    own_server = Config(site=site, mail=MailSection(dns_server="[2001:db8::53]:5353"))
    assert (ports.of_name_server(Config(site=site)), ports.of_name_server(own_server)) == ([53], [5353])
    assert ports_for("smtp://mail.example.com") == [25, 53, 587]
    assert ports_for("smtps://mail.example.com") == [53, 465]
    assert ports_for("smtp://localhost") == [25, 53, 587]
    assert ports_for("smtps://user@mail.example.com:99") == [53, 99]
    assert ports_for("smtp://localhost:2525", "postgresql://user@127.0.0.1:5433/name") == [53, 2525, 5433]
    assert ports_for("smtp://localhost:2525", "postgresql://user@localhost/name?port=5434") == [53, 2525, 5434]


def test_the_worker_keeps_to_its_folders_and_starts_nothing(folders: Path) -> None:
    brief = brief_for("worker", folders)
    allowed = tries(folders, "read", ["keys/secret", "spool/0000000000000001.seg", "troth.toml", "policy.md"])
    allowed += tries(folders, "make", ["data", "public", "asks", "keys/seal", "keys/people"])
    assert set(run(brief, allowed).found.values()) == {"ALLOWED"}
    code = tries(folders, "make", ["spool", "offers", "keys", "keys/sign", "."]) + STARTS_NOTHING
    code += "attempt('tmp', lambda: open('/tmp/troth-new', 'w'))\nattempt('home', lambda: os.listdir('/root'))\n"
    found = run(brief, code).found
    assert set(found.values()) <= REFUSED, found


MAKES_NAMES = """
for folder in {folders!r}:
    attempt("link in " + folder, lambda: os.symlink("/etc/passwd", {root!r} + "/" + folder + "/link"))
    attempt("second name in " + folder, lambda: os.link({root!r} + "/data/secret", {root!r} + "/" + folder + "/second"))
"""


@pytest.mark.parametrize("role", ["front", "clerk", "office", "worker", "migrate", "alarm", "dns", "prove"])
def test_nobody_makes_a_name_that_leads_elsewhere_but_the_worker_for_what_it_publishes(
    folders: Path, role: str
) -> None:
    code = MAKES_NAMES.format(root=str(folders), folders=["data", "keys/people", "keys/seal", "spool", "asks"])
    found = run(brief_for(role, folders), code).found
    assert set(found.values()) <= REFUSED, found
    code = f"attempt('link', lambda: os.symlink('gen-1', {str(folders / 'public/current')!r}))"
    assert (run(brief_for(role, folders), code).found == {"link": "ALLOWED"}) == (role == "worker")


def test_a_child_whose_supervisor_dies_goes_with_it(folders: Path) -> None:
    script = f"""
import os, subprocess, sys, time
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from pathlib import Path
from tests.clerk.running import RunningClerk
clerk = RunningClerk(Path({str(folders)!r}))
print(clerk.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("the clerk outlived its supervisor")

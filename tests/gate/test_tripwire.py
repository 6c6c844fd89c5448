"""The tripwire, in child processes: once it is armed, a process cannot be without it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests.gate.relays import Handler, relay

_BEGIN = """
import asyncio, os, socket, subprocess, sys, logging
from troth.gate import tripwire
from troth.gate.doors import mail_relay, database
from troth.core.config.sections import MailSection, DatabaseSection
logging.basicConfig(format="LOG %(message)s")
RELAY, PORT = mail_relay(MailSection(relay="smtp://localhost:{port}")), {port}
tripwire.arm([RELAY])
def refused(call):
    try:
        call()
    except tripwire.WireTripped as error:
        print("REFUSED", error.attempt, "|", error.line, "|", error)
    else:
        print("WENT THROUGH")
"""


def child(body, port=9, tmp_path=None):
    """Run the lines in an armed child; gives what it printed, and what it logged."""
    code = _BEGIN.format(port=port) + textwrap.dedent(body)
    if tmp_path:
        (tmp_path / "guilty.py").write_text(code)
    command = [sys.executable, str(tmp_path / "guilty.py")] if tmp_path else [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONWARNINGS": "error"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    "attempt",
    [
        'socket.create_connection(("127.0.0.1", PORT + 1))',
        'socket.socket().connect(("192.0.2.1", 443))',
        'socket.socket().connect_ex(("192.0.2.1", 443))',
        'socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443))',
        "socket.socket(socket.AF_UNIX).connect('/run/guess')",
        "socket.socket(socket.AF_UNIX).connect('\\0guess')",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '/dev/log')",
        'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))',
        'socket.socket().sendto(b"x", ("192.0.2.1", 443))',
        'socket.socket().sendmsg([b"x"], [], 0, ("192.0.2.1", 443))',
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        'socket.socket().bind(("127.0.0.1", 0))',
        'socket.getaddrinfo("ada-at-example-com.tracker.example", 80)',
        'socket.gethostbyname("tracker.example")',
        'socket.gethostbyaddr("192.0.2.1")',
        "socket.getfqdn()",
        'asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 443), 5))',
        'asyncio.run(asyncio.wait_for(asyncio.open_connection("tracker.example", 443), 5))',
        '__import__("urllib.request").request.urlopen("http://192.0.2.1/", timeout=2)',
        '__import__("smtplib").SMTP("192.0.2.1", 25, timeout=2)',
        'subprocess.run(["/bin/true"])',
        'os.system("true")',
        "os.fork()",
        'os.posix_spawn("/bin/true", ["true"], {})',
        'os.execv("/bin/true", ["true"])',
        'os.spawnv(os.P_WAIT, "/bin/true", ["true"])',
        '__import__("ctypes").CDLL(None)',
    ],
)
def test_what_is_no_declared_door_is_refused(attempt):
    said, _ = child(f"""
        import warnings; warnings.simplefilter("ignore")
        refused(lambda: {attempt})
    """)
    assert said.startswith("REFUSED") and "not a declared destination" in said


def test_the_line_that_tried_is_named_and_the_destination_is_not(tmp_path):
    said, logged = child(
        """
        def innocent():
            socket.getaddrinfo("ada-at-example-com.tracker.example", 80)
        refused(innocent)
        """,
        tmp_path=tmp_path,
    )
    number = (
        (tmp_path / "guilty.py")
        .read_text()
        .splitlines()
        .index('    socket.getaddrinfo("ada-at-example-com.tracker.example", 80)')
    )
    assert f"guilty.py:{number + 1}" in said and f"guilty.py:{number + 1} tried to look a name up" in logged
    assert "ada" not in said + logged and str(tmp_path) not in said + logged


def test_the_declared_relay_is_reached_by_its_name():
    handler = Handler()
    with relay(handler) as port:
        said, logged = child(
            """
            os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
            import django; django.setup()
            from tests.gate.relays import confirmation
            from troth.gate.mailer import Post
            async def send():
                async with Post(MailSection(relay=f"smtp://localhost:{PORT}", sender="news@example.com")) as post:
                    return await post.send(confirmation())
            print(asyncio.run(send()))
            refused(lambda: socket.create_connection(("127.0.0.1", PORT + 1)))
            """,
            port,
        )
    assert said.splitlines()[0] == "Sent()" and "REFUSED" in said
    assert len(handler.mails) == 1 and logged.count("LOG") == 1


def test_a_mail_to_another_relay_than_the_declared_one_is_refused():
    handler = Handler()
    with relay(handler) as port:
        said, _ = child(
            f"""
            os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
            import django; django.setup()
            from tests.gate.relays import confirmation
            from troth.gate.doors import DoorError
            from troth.gate.mailer import Post
            async def send():
                async with Post(MailSection(relay="smtp://localhost:{port}", sender="news@example.com")) as post:
                    return await post.send(confirmation())
            try:
                print(asyncio.run(send()))
            except DoorError as error:
                print("REFUSED", error)
            """,
            9,
        )
    assert said.startswith("REFUSED") and handler.mails == []


def test_arming_again_cannot_widen_it():
    said, _ = child("""
        from troth.gate.doors import DoorError
        tripwire.arm([RELAY]); tripwire.arm([])
        other = mail_relay(MailSection(relay="smtp://localhost:2"))
        try:
            tripwire.arm([RELAY, other])
        except DoorError as error:
            print("REFUSED", error.mend)
        refused(lambda: socket.create_connection(("localhost", 2)))
        print(tripwire.armed())
    """)
    assert said.count("REFUSED") == 2 and said.rstrip().endswith("True")


def test_the_event_loop_and_what_was_inherited_go_on_working():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        code = _BEGIN.format(port=9) + textwrap.dedent(f"""
            line = socket.socket(fileno={theirs.fileno()})
            line.send(b"hello"); line.sendmsg([b"again"])
            async def main():
                await asyncio.to_thread(lambda: None)
                one, two = socket.socketpair()
                one.sendall(b"x"); two.recv(1); one.close(); two.close()
            asyncio.run(main())
            line.close()
        """)
        done = subprocess.run([sys.executable, "-c", code], pass_fds=[theirs.fileno()], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (ours.recv(9), ours.recv(9)) == (b"hello", b"again")


def test_the_declared_database_s_socket_may_be_connected_to(request):
    short = Path(tempfile.mkdtemp())  # a socket's path has 107 bytes at most (unix(7))
    request.addfinalizer(lambda: shutil.rmtree(short))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short / ".s.PGSQL.5432"))
        listening.listen()
        code = textwrap.dedent(f"""
            import socket
            from troth.gate import tripwire
            from troth.gate.doors import database
            from troth.core.config.sections import DatabaseSection
            tripwire.arm([database(DatabaseSection(url="postgresql:///troth?host={short}"))])
            with socket.socket(socket.AF_UNIX) as near:
                near.connect("{short}/.s.PGSQL.5432")
            with socket.socket(socket.AF_UNIX) as other:
                try:
                    other.connect("{short}/.s.PGSQL.5433")
                except tripwire.WireTripped:
                    print("REFUSED")
        """)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "REFUSED\n", done.stderr


def test_a_library_that_swallows_failed_connections_does_not_swallow_this():
    said, _ = child("""
        def calm():
            try:
                socket.create_connection(("192.0.2.1", 443), 2)
            except OSError:
                print("SWALLOWED")
        refused(calm)
    """)
    assert "SWALLOWED" not in said and "REFUSED" in said

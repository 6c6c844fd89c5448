"""The whole process on a real port: what the protocol itself refuses, how it ends, what it says."""

import contextlib
import re
import socket
import time

import psutil
import pytest

from tests.front.client import WORDING, Serving, everything

BODY = b"email=canary%40example.org&name=Canary&wording=" + WORDING.encode()


@pytest.fixture
def serving(tmp_path, keys):
    with Serving(tmp_path, keys, proof_of_work=0) as found:
        yield found


def post(path, body, kind=b"application/x-www-form-urlencoded", close=True):
    return (
        b"POST /troth%b HTTP/1.1\r\nhost: x\r\ncontent-type: %b\r\ncontent-length: %d\r\n" % (path, kind, len(body))
        + (b"connection: close\r\n" if close else b"")
        + b"\r\n"
        + body
    )


def status(answer):
    return int(answer.split(b" ", 2)[1])


def most_memory(serving):
    """Megabytes that the process ever had."""
    with open(f"/proc/{serving.process.pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024


def test_a_sign_up_is_answered_only_after_the_clerk_has_synced(serving, keys):
    with serving.connect() as line:
        line.sendall(post(b"/newsletter", BODY))
        frame = serving.clerk.recv(64_000)
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(1)
        serving.clerk.send(frame[:8] + b"\x01")
        line.settimeout(10)
        assert status(everything(line)) == 303
    assert keys.sign_up(frame[29:]).email.reveal() == "canary@example.org"


def test_the_whole_life_says_nothing_of_a_visitor_and_ends_with_zero(serving):
    for data in (
        post(b"/newsletter?canary=1", b"email=canary&wording=x"),
        post(b"/confirm/canary", b""),
        b"canary\r\n\r\n",
    ):
        assert status(serving.raw(data)) in {400, 422}
    code, said = serving.stop()
    assert code == 0
    assert "event=serving" in said
    assert "event=stopped" in said
    assert "canary" not in said
    assert "127.0.0.1" not in said
    assert "Traceback" not in said


def test_what_is_in_hand_is_finished_on_sigterm(serving):
    with serving.connect() as line:
        line.sendall(post(b"/newsletter", BODY))
        frame = serving.clerk.recv(64_000)
        serving.process.terminate()
        time.sleep(0.5)
        serving.clerk.send(frame[:8] + b"\x01")
        assert status(everything(line)) == 303
    assert serving.process.wait(10) == 0


def test_without_a_clerk_the_process_ends(serving):
    serving.clerk.close()
    assert serving.process.wait(10) == 0
    assert b"clerk_line_ended" in serving.process.stderr.read()


def test_headers_without_end_are_431(serving):
    assert status(serving.raw(b"GET /troth/healthz HTTP/1.1\r\nx: " + b"a" * 20_000)) == 431
    many = b"".join(b"x-%d: %b\r\n" % (n, b"a" * 50) for n in range(400))
    assert status(serving.raw(b"GET /troth/healthz HTTP/1.1\r\n" + many)) == 431


def test_headers_that_are_too_long_are_431_although_they_end(serving):
    head = b"GET /troth/healthz HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 40_000 + b"\r\nconnection: close\r\n\r\n"
    assert status(serving.raw(head)) == 431


def test_requests_sent_ahead_by_the_thousand_cost_the_front_nothing(serving):
    """Found by attack: of a read of 256 KiB each request waited in memory, 900 MB for forty connections."""
    flood = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 9_000
    lines = [serving.connect() for _ in range(20)]
    for line in lines:
        line.setblocking(False)
        with contextlib.suppress(OSError):
            line.send(flood)
    began = time.monotonic()
    assert status(serving.raw(b"GET /troth/newsletter HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")) == 200
    assert time.monotonic() - began < 5
    assert most_memory(serving) < 90
    for line in lines:
        line.close()


def test_what_is_not_http_is_400_with_strict_headers(serving):
    for data in (b"\x16\x03\x01\x02\x00 tls", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n"):
        answer = serving.raw(data)
        assert status(answer) == 400
        assert b"nosniff" in answer


def test_two_lengths_or_a_length_with_chunks_are_refused(serving):
    head = b"POST /troth/newsletter HTTP/1.1\r\nhost: x\r\n"
    assert status(serving.raw(head + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd")) == 400
    assert status(serving.raw(head + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")) == 400


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n",
    ],
)
def test_what_names_no_host_or_two_or_is_no_http_is_refused(serving, request_):
    assert serving.raw(request_).startswith(b"HTTP/1.1 400")


def test_ten_megabytes_are_413_and_the_browser_gets_to_read_it(serving):
    answer = serving.raw(post(b"/newsletter", b"email=" + b"x" * 10_000_000))
    assert status(answer) == 413
    assert b"too long" in answer


def test_a_connection_that_says_nothing_is_closed(tmp_path, keys, monkeypatch):
    from troth.front.http import protocol

    assert protocol.HEAD_SECONDS <= 15
    with Serving(tmp_path, keys) as serving, serving.connect() as silent, serving.connect() as slow:
        slow.sendall(b"GET /troth/healthz HTTP/1.1\r\nx: ")
        started = time.monotonic()
        assert status(everything(silent)) == 408
        assert status(everything(slow)) == 408
        assert time.monotonic() - started < protocol.HEAD_SECONDS + 5


def test_a_visitor_who_takes_nothing_of_the_answer_does_not_stay(serving):
    """Found by attack: eight hundred such connections and the front told everybody else that it was busy, for ever."""
    from troth.front.http import protocol

    assert protocol.TAKE_SECONDS <= 20
    serving.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # as little waits in a real network
    process = psutil.Process(serving.process.pid)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", serving.port))
        line.sendall(b"GET /troth/newsletter HTTP/1.1\r\nhost: x\r\n\r\n" * 16)
        mine = line.getsockname()
        began = time.monotonic()
        while any(one.raddr == mine for one in process.net_connections()) or time.monotonic() - began < 1:
            assert time.monotonic() - began < protocol.TAKE_SECONDS + 15
            time.sleep(0.5)


def test_a_kept_connection_serves_several_requests_in_order(serving):
    with serving.connect() as line:
        request = b"GET /troth/policy.css HTTP/1.1\r\nhost: x\r\n\r\n"
        line.sendall(request * 3)
        got, answers = b"", [b""]
        while len(answers) < 4 or len(answers[3]) < len(answers[1]):  # three answers, as long as each other
            got += line.recv(65536)
            answers = got.split(b"HTTP/1.1 200")
        line.sendall(b"GET /troth/none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert status(everything(line)) == 404


def test_no_server_is_named_and_no_header_is_missing(serving):
    answer = serving.raw(b"GET /troth/newsletter HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").lower()
    assert b"\r\nserver:" not in answer
    for name in (b"content-security-policy", b"referrer-policy", b"permissions-policy", b"cross-origin-opener-policy"):
        assert answer.count(b"\r\n" + name + b":") == 1


def test_a_front_stays_below_80_megabytes(serving):
    for _ in range(50):
        serving.raw(b"GET /troth/newsletter HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert most_memory(serving) < 80

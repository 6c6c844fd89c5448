"""The office's connections, over real sockets: slow ones lock nobody out, and a request names one host."""

import contextlib
import http.client
import socket
import threading
import time

import pytest

from troth.office import connections, metrics

HOST = "localhost"


def _hello(environ, start):
    body = environ["wsgi.input"].read()
    answer = b"x" * int(environ["PATH_INFO"].strip("/") or 0) + b"hello " + body
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


@contextlib.contextmanager
def _serving(application=_hello, **limits):
    """The office's server at two listeners; their ports."""
    sockets = [socket.create_server((HOST, 0), backlog=128) for _ in range(2)]
    ports = [one.getsockname()[1] for one in sockets]
    served = application(ports[1]) if application is not _hello else _hello
    server = connections.serve_on(sockets, served, threads=2, **limits)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield ports
    finally:
        _end(server, thread)


def _end(server, thread):
    def leave(*_):
        raise SystemExit(0)

    for one in list(server.map.values()):
        one.readable = leave
    with contextlib.suppress(OSError):
        socket.create_connection(server.effective_listen[0], 1).close()
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture
def ports():
    with _serving() as ports:
        yield ports


@pytest.fixture
def hurry(monkeypatch):
    """Deadlines that a test can wait for."""
    for name, seconds in (("HEAD_SECONDS", 1.0), ("BODY_SECONDS", 1.0), ("TAKE_SECONDS", 1.0), ("IDLE_SECONDS", 3.0)):
        monkeypatch.setattr(connections, name, seconds)


def _ask(port, path="/", body=None):
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    connection.request("POST" if body else "GET", path, body)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def _open(port, sent=b""):
    one = socket.create_connection((HOST, port), 5)
    one.sendall(sent)
    return one


def _is_closed(one, within):
    one.settimeout(within)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


SLOW = {
    "says nothing": b"",
    "never ends its head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "never ends its body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nab",
}


@pytest.mark.parametrize("how", SLOW)
def test_many_slow_connections_lock_nobody_out(ports, how):
    with contextlib.ExitStack() as held:
        slow = [held.enter_context(_open(ports[0], SLOW[how])) for _ in range(3 * connections.PLACES)]
        began = time.monotonic()
        for _ in range(5):
            assert _ask(ports[0]) == (200, b"hello ")
            assert _ask(ports[0], body=b"you") == (200, b"hello you")
            assert _ask(ports[1]) == (200, b"hello ")
        assert time.monotonic() - began < 5
        assert _is_closed(slow[0], 2), "the oldest made room"


@pytest.mark.parametrize("how", SLOW)
def test_each_has_a_deadline_though_it_sends_a_byte_now_and_then(ports, hurry, how):
    with _open(ports[0], SLOW[how]) as one:
        until = time.monotonic() + 6
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                one.sendall(b"a" if how != "says nothing" else b"")
                time.sleep(0.3)
                if how == "says nothing" and _is_closed(one, 0.1):
                    break
        assert time.monotonic() < until and _is_closed(one, 1)


def test_who_takes_no_answer_is_let_go(ports, hurry):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect((HOST, ports[0]))
        one.sendall(b"GET /9000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(4)
        got = 0
        with contextlib.suppress(OSError):
            one.settimeout(1)
            while part := one.recv(65536):
                got += len(part)
        assert got < 9_000_000


def test_a_connection_that_goes_on_asking_stays(ports, hurry):
    connection = http.client.HTTPConnection(HOST, ports[0], timeout=5)
    for _ in range(10):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello "
        time.sleep(0.4)
        assert connection.sock is not None
    connection.close()


def test_figures_are_answered_while_the_office_is_besieged():
    def figures(port):
        def office(environ, start):
            raise AssertionError("nobody asked the office anything")

        return metrics.beside(office, port)

    with _serving(figures) as ports, contextlib.ExitStack() as held:
        for _ in range(2 * connections.PLACES):
            held.enter_context(_open(ports[0], SLOW["never ends its head"]))
        assert _ask(ports[1], "/other")[0] == 404


def _whole(one):
    """All that is answered; where the rest of a request was not read, the connection is reset behind it."""
    answered = b""
    with contextlib.suppress(ConnectionResetError):
        while came := one.recv(65536):
            answered += came
    return answered


GOOD = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
REFUSED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no host in HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "the same host twice": b"GET / HTTP/1.1\r\nhost: localhost\r\nHOST: localhost\r\n\r\n",
    "one of two is empty": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost:\r\n\r\n",
    "another in the address": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 with a host": b"GET /\r\nHost: localhost\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n" + GOOD,
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a version from the future": b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_names_no_host_or_two_or_is_no_http_is_refused(ports, how):
    for port in ports:
        with _open(port, REFUSED[how]) as one:
            one.settimeout(5)
            answered = _whole(one)
            assert answered.split(b"\r\n")[0].endswith(b"400 Bad Request")
            assert answered.count(b"\r\nDate:") == 1  # what comes behind it is no second request


def test_a_head_has_a_length(ports):
    with _open(ports[0], GOOD[:-2] + b"X: " + b"a" * 40_000 + b"\r\n\r\n") as one:
        one.settimeout(5)
        assert b"431" in _whole(one).split(b"\r\n")[0]


def test_a_request_as_browsers_and_proxies_send_it_is_answered(ports):
    for sent in (GOOD, GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"), GOOD.replace(b" / ", b" http://localhost/ ")):
        with _open(ports[0], sent) as one:
            one.settimeout(5)
            assert b" 200 OK" in one.recv(65536).split(b"\r\n")[0]


# -- files ------------------------------------------------------------------------------------------------------------

_LIMITS = {"max_request_body_size": 1_000, "inbuf_overflow": 50_000}


def _bring(port, size, **headers):
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    form = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": "a=b"} | headers
    connection.request("POST", "/", b"x" * size, {name: value for name, value in form.items() if value})
    answer = connection.getresponse()
    try:
        return answer.status, len(answer.read())
    finally:
        connection.close()


def test_a_form_with_a_file_may_be_longer_than_others_where_somebody_has_signed_in():
    with _serving(**_LIMITS) as ports:
        assert _bring(ports[0], 40_000) == (200, 40_006)
        assert _bring(ports[0], 50_000)[0] == 413
        assert _bring(ports[0], 40_000, Cookie="")[0] == 413
        assert _bring(ports[0], 40_000, **{"Content-Type": "application/x-www-form-urlencoded"})[0] == 413
        assert _bring(ports[0], 500)[0] == 200


def test_few_bring_a_file_at_once_and_the_others_are_refused_until_one_is_done():
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 40000\r\n\r\nab"
    )
    with _serving(**_LIMITS) as ports:
        with contextlib.ExitStack() as held:
            for _ in range(connections.UPLOADS):
                held.enter_context(_open(ports[0], head))
            _until(lambda: _bring(ports[0], 40_000)[0] == 413)
            assert _bring(ports[0], 500)[0] == 200
        _until(lambda: _bring(ports[0], 40_000)[0] == 200)


def _until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)

"""The receiving side of SMTP that proofs send to: a real client speaks to it, and whoever cannot speak."""

import asyncio
import contextlib
import smtplib
import socket
import threading

import pytest

from troth.gate.loopback import smtp_sink

MAIL = b"From: a@example.com\r\nSubject: dots\r\n\r\n.\r\n..two\r\nfollow\r\n"


@pytest.fixture
def sink():
    """(sink, port), served in a thread of its own."""
    sink, ready, end = smtp_sink.Sink(), threading.Event(), []

    async def serve():
        server = await asyncio.start_server(sink.serve, sock=listening)
        end.append((asyncio.get_running_loop(), over := asyncio.Event()))
        ready.set()
        await over.wait()
        server.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert ready.wait(10)
        yield sink, port
        (loop, over) = end[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        assert not thread.is_alive()


def said(port, *pieces):
    """All that it answers to these bytes, until it hangs up; what is left unsaid at the end is never said."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        with contextlib.suppress(OSError):  # it may hang up before it was told everything
            for piece in pieces:
                line.sendall(piece)
            line.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := line.recv(65536):
                answer += chunk
        return [row[:3].decode() for row in answer.split(b"\r\n") if row and row[3:4] != b"-"]


def test_a_client_of_the_standard_library_delivers_each_byte(sink):
    sink, port = sink
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        for sender in ("a@example.com", ""):
            assert client.sendmail(sender, ["b@example.org", "c@example.org"], MAIL, ["SMTPUTF8"]) == {}
        assert client.has_extn("smtputf8")
        assert client.has_extn("8bitmime")
        client.sendmail("a@example.com", ["jörg@example.org"], MAIL, ["SMTPUTF8", "BODY=8BITMIME"])
    assert [one.sender for one in sink.received] == ["a@example.com", "", "a@example.com"]
    assert sink.received[0].recipients == ("b@example.org", "c@example.org")
    assert sink.received[2].recipients == ("jörg@example.org",)
    assert {one.content for one in sink.received} == {MAIL}
    assert "example" not in repr(sink.received)


def test_a_mail_that_is_broken_off_was_not_taken(sink):
    sink, port = sink
    head = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    assert said(port, head + b"half a mail\r\n") == ["220", "250", "250", "250", "354"]
    assert said(port, head + b"no end\n.\nQUIT\n\r.\r\n..\r\n") == ["220", "250", "250", "250", "354"]
    assert sink.received == []


@pytest.mark.parametrize(
    ("spoken", "answers"),
    [
        (b"RCPT TO:<b@example.org>\r\nDATA\r\nQUIT\r\n", ["503", "503", "221"]),
        (b"MAIL FROM:<a@example.com>\r\nDATA\r\nMAIL FROM:<x@example.com>\r\nQUIT\r\n", ["250", "503", "503", "221"]),
        (b"MAIL FROM:<a@example.com>\r\nRSET\r\nRCPT TO:<b@example.org>\r\nQUIT\r\n", ["250", "250", "503", "221"]),
        (b"MAIL FROM:a@example.com\r\nMAIL TO\r\nMAIL\r\nquit\r\n", ["501", "501", "501", "221"]),
        (b"MAIL FROM:<\xff@example.com>\r\nRCPT TO:<>\r\nQUIT\r\n", ["501", "503", "221"]),
        (b"MAIL FROM:<a@example.com>\r\nRCPT TO:<>\r\nRCPT TO:<b c>\r\nQUIT\r\n", ["250", "501", "501", "221"]),
        (b"\r\n\x00\xff\r\nAUTH PLAIN\r\nVRFY b\r\nNOOP\r\nHELO x\r\nQUIT\r\n", ["502"] * 4 + ["250"] * 2 + ["221"]),
        (b"NOOP", []),
    ],
)
def test_whoever_is_out_of_step_is_refused(sink, spoken, answers):
    sink, port = sink
    assert said(port, spoken) == ["220", *answers]
    assert sink.received == []


def test_what_is_too_large_too_much_or_too_slow_is_hung_up_on(sink, monkeypatch):
    sink, port = sink
    monkeypatch.setattr(smtp_sink, "LARGEST", 100_000)
    monkeypatch.setattr(smtp_sink, "MOST_RECIPIENTS", 2)
    monkeypatch.setattr(smtp_sink, "MOST_MAILS", 1)
    monkeypatch.setattr(smtp_sink, "SECONDS", 0.3)
    envelope = b"MAIL FROM:<a@example.com>\r\n" + b"RCPT TO:<b@example.org>\r\n" * 3 + b"DATA\r\n"
    hung_up = ["220", "250", "250", "250", "503", "354", "500"]
    answers = said(port, envelope, b"line\r\n" * 50_000, b".\r\n")
    assert answers == hung_up[: len(answers)]  # a reset may overtake the last answers
    for line in (b"x" * 200_000, b"x" * 200_000 + b"\r\nNOOP\r\n"):
        assert said(port, line) in (["220", "500"], ["220"], [])
    assert sink.received == []
    assert said(port, (envelope + b"line\r\n.\r\n") + envelope)[6:] == ["250", "503", "503", "503", "503", "503"]
    assert len(sink.received) == 1
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        assert silent.recv(100).startswith(b"220")
        assert silent.recv(100) == b""

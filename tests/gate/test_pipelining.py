"""What leaves in one write where the relay offers PIPELINING (RFC 2920), and what becomes of each email then."""

import re
import ssl

import pytest

from tests.gate.relays import Authority, raw, settings
from troth.gate.doors import mail_relay
from troth.gate.smtp import Access, NoLine, Parcel, Permanent, RelayConnection, Sent, Temporary, Uncertain

HELLO = b"220 localhost\r\n"
OFFERS = b"250-localhost\r\n250 PIPELINING\r\n"


class Script:
    """A relay that offers PIPELINING. `answers`: by command; `end`: to a whole email."""

    def __init__(self, **answers):
        self.answers, self.heard, self.mails = {name: list(value) for name, value in answers.items()}, [], []

    def _answer(self, command, otherwise):
        given = self.answers.get(command)
        return given.pop(0) if given else otherwise

    def __call__(self, client):
        client.sendall(HELLO)
        buffer, content = b"", False
        while data := client.recv(1 << 20):
            self.heard.append(data)
            buffer += data
            while (end := buffer.find(b"\r\n.\r\n" if content else b"\r\n")) >= 0 or (content and buffer == b".\r\n"):
                if content:
                    mail, buffer = (buffer[:end], buffer[end + 5 :]) if end >= 0 else (b"", b"")
                    self.mails.append(mail)
                    said, content = self._answer("end", b"250 kept"), False
                else:
                    line, buffer = buffer[:end], buffer[end + 2 :]
                    command = line[:4].decode()
                    otherwise = {"EHLO": OFFERS.strip(), "DATA": b"354 go on", "QUIT": b"221 bye"}.get(
                        command, b"250 OK"
                    )
                    said = self._answer(command, otherwise)
                    content = said.startswith(b"354")
                if said is None:
                    return
                client.sendall(said + b"\r\n")


def access(port, **changes):
    told = {"door": mail_relay(settings(port)), "tls": None, "user": None, "password": None}
    return Access(**{**told, "greeting": "example.com", "timeout": 1.0, **changes})


def parcels(count):
    return [
        Parcel("news@example.com", f"r{n}@example.com", b"Subject: %d\r\n\r\n.x\r\n" % n, False) for n in range(count)
    ]


async def delivered(port, count):
    """What became of `count` emails over one connection, by number."""
    sending, outcomes = parcels(count), []
    line = await RelayConnection.open(access(port))
    waiting = iter(sending[1:])
    await line.deliver_each(sending[0], lambda: next(waiting, None), lambda one, said: outcomes.append((one, said)))
    await line.close()
    assert [one for one, _ in outcomes] == sending[: len(outcomes)]
    return [said for _, said in outcomes]


async def test_the_commands_of_the_next_email_leave_with_the_content_before_it():
    script = Script()
    with raw(script) as port:
        assert await delivered(port, 3) == [Sent()] * 3
    assert script.mails == [b"Subject: %d\r\n\r\n..x" % number for number in range(3)]
    groups = [re.findall(rb"(?m)^(EHLO|MAIL|RCPT|DATA|Subject|\.\r|QUIT)", said) for said in script.heard]
    envelope = [b"MAIL", b"RCPT", b"DATA"]
    content = [b"Subject", b".\r"]
    assert groups == [[b"EHLO"], envelope, content + envelope, content + envelope, content, [b"QUIT"]]


async def test_an_address_that_is_refused_gets_nothing_though_the_relay_waits_for_a_content():
    script = Script(RCPT=[b"250 OK", b"550 5.1.1 nobody", b"250 OK"], end=[b"250 kept", b"554 nobody"])
    with raw(script) as port:
        assert await delivered(port, 3) == [Sent(), Permanent(550, "no-such-address"), Sent()]
    assert script.mails == [b"Subject: 0\r\n\r\n..x", b"", b"Subject: 2\r\n\r\n..x"]


@pytest.mark.parametrize("data", [b"503 5.5.1 no recipients", b"354 go on"])
async def test_the_first_refusal_is_what_counts(data):
    script = Script(
        MAIL=[b"451 4.3.0 later"], RCPT=[b"503 no"], DATA=[data], end=[b"503 no"] if data.startswith(b"354") else []
    )
    with raw(script) as port:
        assert await delivered(port, 2) == [Temporary(451, "relay-busy"), Sent()]


async def test_after_a_death_what_was_handed_over_is_uncertain_and_the_next_one_was_not_sent():
    script = Script(end=[None])
    with raw(script) as port:
        outcomes = await delivered(port, 3)
    assert outcomes == [Uncertain("connection-lost"), Temporary(0, "connection-lost")]
    assert outcomes[1].of_relay and len(script.mails) == 1


async def test_a_content_that_is_refused_does_not_touch_the_next_one():
    script = Script(end=[b"554 5.6.0 spam", b"250 kept"])
    with raw(script) as port:
        assert await delivered(port, 2) == [Permanent(554, "content-refused"), Sent()]


async def test_a_relay_that_closes_says_so_for_the_one_that_was_next():
    script = Script(MAIL=[b"250 OK", b"421 4.7.0 enough"])
    with raw(script) as port:
        assert await delivered(port, 3) == [Sent(), Temporary(421, "relay-busy")]


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one():
    script = Script(end=[b"250 kept\r\n250 kept\r\n250 kept"])
    with raw(script) as port:
        line = await RelayConnection.open(access(port))
        first, second = parcels(2)
        assert await line.deliver(first) == Sent()
        assert not line.usable
        assert (await line.deliver(second)).of_relay
        line.abort()
    assert len(script.mails) == 1


async def test_what_cannot_be_recorded_is_not_handed_over():
    def full():
        raise OSError

    script = Script()
    with raw(script) as port:
        line = await RelayConnection.open(access(port))
        parcel = Parcel("news@example.com", "r@example.com", b"Subject: x\r\n\r\nx\r\n", False, full)
        assert await line.deliver(parcel) == Temporary(0, "not-recorded")
    assert script.mails == []


async def test_what_is_said_in_the_clear_before_tls_is_not_believed(tmp_path):
    def inject(client):
        client.sendall(HELLO)
        client.recv(4096)
        client.sendall(b"250-localhost\r\n250 STARTTLS\r\n")
        client.recv(4096)
        client.sendall(b"220 go on\r\n250-localhost\r\n250 AUTH PLAIN\r\n")
        client.recv(4096)

    door = mail_relay(settings(1))
    context = ssl.create_default_context(cafile=str(Authority(tmp_path).file))
    with raw(inject) as port:
        far = type(door)(
            **{name: getattr(door, name) for name in door.__dataclass_fields__}
            | {"port": port, "encryption": "starttls"}
        )
        with pytest.raises(NoLine) as refused:
            await RelayConnection.open(access(port, door=far, tls=context))
    assert refused.value.outcome == Temporary(0, "relay-refuses")


@pytest.mark.parametrize(
    ("offer", "answers", "heard"),
    [
        (b"AUTH PLAIN LOGIN", [b"235 welcome"], [b"AUTH PLAIN AHUAcMOk\r\n"]),
        (
            b"AUTH=LOGIN",
            [b"334 VXNlcm5hbWU6", b"334 UGFzc3dvcmQ6", b"235 welcome"],
            [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cMOk\r\n"],
        ),
        (
            b"AUTH CRAM-MD5",
            [b"334 PDFAZXhhbXBsZS5jb20+", b"235 welcome"],
            [b"AUTH CRAM-MD5\r\n", b"dSA4OTlmZmI3M2Y0MWE4ZTY3ZjYzNWU5YjA1MTYwYzI0Nw==\r\n"],
        ),
        (
            b"AUTH PLAIN LOGIN",
            [b"504 no", b"334 ", b"334 ", b"235 ok"],
            [b"AUTH PLAIN AHUAcMOk\r\n", b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cMOk\r\n"],
        ),
        (b"AUTH GSSAPI", [], []),
    ],
)
async def test_each_kind_of_sign_in(offer, answers, heard):
    said = []

    def script(client):
        client.sendall(HELLO)
        client.recv(4096)
        client.sendall(b"250-localhost\r\n250 " + offer + b"\r\n")
        for answer in answers:
            said.append(client.recv(4096))
            client.sendall(answer + b"\r\n")
        client.recv(4096)

    with raw(script) as port:
        if answers:
            line = await RelayConnection.open(access(port, user="u", password="pä"))
            line.abort()
        else:
            with pytest.raises(NoLine) as refused:
                await RelayConnection.open(access(port, user="u", password="pä"))
            assert refused.value.outcome == Temporary(0, "auth")
    assert said == heard

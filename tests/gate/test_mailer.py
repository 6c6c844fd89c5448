"""What becomes of a mail: handed over, refused for now, refused for good, or nobody knows."""

import asyncio
import socket
import time
from dataclasses import replace

import pytest

from tests.gate.relays import Authority, Handler, confirmation, raw, relay, settings
from troth.gate import smtp
from troth.gate.doors import mail_relay
from troth.gate.mailer import Permanent, Post, Sent, Temporary, Uncertain

GREETING = b"220 localhost\r\n"


async def send(port, *mails, password=None, cafile=None, door=None, **changes):
    async with Post(settings(port, **changes), None, password, cafile=cafile, door=door) as post:
        return [await post.send(mail) for mail in (mails or [confirmation()])]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def as_if_far(port, scheme="smtp"):
    """The loopback relay's door, treated as one on another machine."""
    return replace(mail_relay(settings(port, scheme)), encryption="starttls")


async def test_a_mail_arrives_at_the_relay():
    handler = Handler()
    with relay(handler) as port:
        assert await send(port) == [Sent()]
    sender, recipient, content = handler.mails[0]
    assert (sender, recipient) == ("news@example.com", "ada@example.com")
    assert b"/confirm/" + b"A" * 116 in content


async def test_one_connection_serves_many_mails():
    handler = Handler()
    with relay(handler) as port:
        assert await send(port, *[confirmation() for _ in range(20)]) == [Sent()] * 20
    assert len(handler.mails) == 20 and handler.sessions == 1


async def test_no_more_connections_than_the_settings_allow():
    handler = Handler()
    handler.seconds = 0.05
    with relay(handler) as port:
        async with Post(settings(port, connections=3)) as post:
            outcomes = await asyncio.gather(*(post.send(confirmation()) for _ in range(12)))
    assert outcomes == [Sent()] * 12 and handler.sessions == 3


async def test_a_line_that_starts_with_a_dot_arrives_whole():
    handler = Handler()
    with relay(handler) as port:
        await send(port, confirmation(site_name=".hidden", form_title="..."))
    assert b"\r\n.hidden\r\n" in handler.mails[0][2]


# -- encryption -------------------------------------------------------------------------------------------------------


async def test_tls_from_the_first_byte_with_a_good_certificate(authority):
    handler = Handler()
    with relay(handler, implicit_tls=authority.context()) as port:
        assert await send(port, scheme="smtps", cafile=authority.file) == [Sent()]


async def test_starttls_with_a_good_certificate(authority):
    handler = Handler()
    with relay(handler, starttls=authority.context()) as port:
        assert await send(port, cafile=authority.file, door=as_if_far(port)) == [Sent()]
    assert len(handler.mails) == 1


@pytest.mark.parametrize(
    ("name", "last_day"), [("other.example.com", 30), ("localhost", -0.5)], ids=["of another host", "expired"]
)
@pytest.mark.parametrize("implicit", [True, False])
async def test_a_wrong_certificate_is_refused(authority, name, last_day, implicit):
    handler, context = Handler(), authority.context(name, -3, last_day)
    with relay(handler, **({"implicit_tls": context} if implicit else {"starttls": context})) as port:
        door = None if implicit else as_if_far(port)
        outcomes = await send(port, scheme="smtps" if implicit else "smtp", cafile=authority.file, door=door)
    assert outcomes == [Temporary(0, "tls-certificate")] and handler.mails == []


async def test_a_certificate_of_an_unknown_authority_is_refused(authority, tmp_path):
    handler = Handler()
    with relay(handler, implicit_tls=Authority(tmp_path, "Other CA").context()) as port:
        assert await send(port, scheme="smtps", cafile=authority.file) == [Temporary(0, "tls-certificate")]
        assert await send(port, scheme="smtps") == [Temporary(0, "tls-certificate")]  # the system's authorities
    assert handler.mails == []


async def test_a_far_relay_without_starttls_gets_nothing(authority):
    handler = Handler()
    with relay(handler) as port:
        assert await send(port, cafile=authority.file, door=as_if_far(port)) == [Temporary(0, "no-tls")]
    assert handler.options == []


async def test_a_relay_that_speaks_no_tls_where_it_should_gets_nothing():
    with relay(Handler()) as port:
        outcomes = await send(port, scheme="smtps")
    assert outcomes[0].reason in ("tls", "connection-lost") and isinstance(outcomes[0], Temporary)


# -- signing in -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
async def test_the_password_opens_the_relay(authority):
    handler = Handler()
    with relay(handler, implicit_tls=authority.context(), password="right") as port:
        told = settings(port, "smtps", "troth%40example.com@localhost")
        async with Post(told, None, "right", cafile=authority.file) as post:
            assert await post.send(confirmation()) == Sent()
        async with Post(told, None, "wrong", cafile=authority.file) as post:
            assert await post.send(confirmation()) == Temporary(535, "auth")
    assert len(handler.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
async def test_a_relay_that_wants_a_sign_in_is_a_matter_for_the_operator():
    with relay(Handler(), password="right") as port:
        assert await send(port) == [Temporary(530, "auth")]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        ("MAIL", "550 5.1.8 sender <ada@example.com> not known", Permanent(550, "sender-refused")),
        ("MAIL", "451 4.3.0 later", Temporary(451, "relay-busy")),
        ("MAIL", "421 4.3.2 going down", Temporary(421, "relay-busy")),
        ("MAIL", "530 5.7.0 sign in first", Temporary(530, "auth")),
        ("RCPT", "550 5.1.1 <ada@example.com>: no such user", Permanent(550, "no-such-address")),
        ("RCPT", "550 <ada@example.com>: refused", Permanent(550, "recipient-refused")),
        ("RCPT", "554 5.7.1 <ada@example.com>: relay access denied", Permanent(554, "policy")),
        ("RCPT", "552 5.2.2 mailbox full", Permanent(552, "mailbox-full")),
        ("RCPT", "450 4.2.0 greylisted", Temporary(450, "mailbox-full")),
        ("RCPT", "451 4.7.1 greylisted", Temporary(451, "policy")),
        ("RCPT", "421 too many", Temporary(421, "relay-busy")),
        ("DATA", "554 5.6.0 no valid recipients", Permanent(554, "content-refused")),
        ("DATA", "452 4.3.1 no space", Temporary(452, "too-large")),
        (".", "554 5.6.0 spam", Permanent(554, "content-refused")),
        (".", "550 5.7.1 policy", Permanent(550, "policy")),
        (".", "451 4.3.0 later", Temporary(451, "relay-busy")),
        (".", "354 what", Uncertain("strange-reply")),
    ],
)
async def test_each_refusal_has_its_outcome(step, answer, outcome):
    handler = Handler()
    handler.answers[step] = answer
    with relay(handler) as port:
        assert await send(port) == [outcome]
    assert outcome.reason in smtp.REASONS


async def test_after_a_refusal_the_same_connection_serves_the_next_mail():
    handler = Handler()
    handler.answers["RCPT"] = ["550 5.1.1 no", "250 OK"]
    with relay(handler) as port:
        outcomes = await send(port, confirmation("gone@example.com"), confirmation())
    assert outcomes == [Permanent(550, "no-such-address"), Sent()]
    assert handler.sessions == 1 and [mail[1] for mail in handler.mails] == ["ada@example.com"]


# -- faults -----------------------------------------------------------------------------------------------------------


async def test_a_relay_that_is_down():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await send(port) == [Temporary(0, "unreachable")]


async def test_a_relay_whose_name_does_not_exist():
    door = mail_relay(settings(465, "smtps", "relay.invalid"))
    assert await send(465, door=door) == [Temporary(0, "name")]


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (b"421 4.3.2 busy\r\n", Temporary(421, "relay-busy")),
        (b"554 5.7.1 you are listed\r\n", Temporary(554, "relay-refuses")),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Temporary(0, "relay-refuses")),
        (b"", Temporary(0, "connection-lost")),
    ],
)
async def test_a_relay_that_greets_badly(greeting, outcome):
    with raw(lambda client: client.sendall(greeting)) as port:
        assert await send(port) == [outcome]


async def test_a_relay_that_says_nothing():
    with raw(lambda client: client.recv(10)) as port:
        started = time.monotonic()
        assert await send(port, timeout_seconds=0.3) == [Temporary(0, "timeout")]
        assert time.monotonic() - started < 3


async def test_a_relay_that_dies_before_the_mail():
    handler = Handler()
    handler.die = "MAIL"
    with relay(handler) as port:
        assert await send(port) == [Temporary(0, "connection-lost")]
    assert handler.mails == []


async def test_a_relay_that_dies_after_the_mail_leaves_us_uncertain():
    handler = Handler()
    handler.die = "DATA"
    with relay(handler) as port:
        assert await send(port) == [Uncertain("connection-lost")]
    assert len(handler.mails) == 1  # it did arrive, which is why nothing else may be said


async def test_a_relay_that_does_not_answer_after_the_mail_leaves_us_uncertain():
    handler = Handler()
    handler.seconds = 20
    with relay(handler) as port:
        assert await send(port, timeout_seconds=0.2) == [Uncertain("no-answer")]


@pytest.mark.parametrize("step", [b"MAIL", b"RCPT", b"DATA"])
async def test_a_relay_that_falls_silent_before_the_mail_got_nothing(step):
    def script(client):
        client.sendall(GREETING)
        while line := client.recv(4096):
            if line.startswith(step):
                client.recv(4096)  # silence until we hang up
                return
            client.sendall(b"354 go on\r\n" if line.startswith(b"DATA") else b"250 OK\r\n")

    with raw(script) as port:
        assert await send(port, timeout_seconds=0.3) == [Temporary(0, "timeout")]


async def test_a_relay_that_hangs_up_on_a_resting_connection_costs_no_mail():
    served = []

    def script(client):
        client.sendall(GREETING)
        while line := client.recv(65536):
            if line.startswith(b"DATA"):
                client.sendall(b"354 go on\r\n")
                while not line.endswith(b"\r\n.\r\n"):
                    line += client.recv(65536)
                served.append(line)
                client.sendall(b"250 kept\r\n")
                client.recv(4096)  # the next mail's MAIL, or QUIT
                return  # hang up without a word
            client.sendall(b"250 OK\r\n")

    with raw(script) as port:
        assert await send(port, confirmation(), confirmation()) == [Sent(), Sent()]
    assert len(served) == 2


async def test_who_is_cancelled_while_the_relay_has_the_mail_leaves_no_connection_behind():
    handler = Handler()
    handler.seconds = 20
    with relay(handler) as port:
        async with Post(settings(port)) as post:
            sending = asyncio.create_task(post.send(confirmation()))
            while not handler.mails:  # noqa: ASYNC110 - it lives in another thread
                await asyncio.sleep(0.01)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            handler.seconds = 0
            assert await post.send(confirmation()) == Sent()
    assert handler.sessions == 2


# -- addresses --------------------------------------------------------------------------------------------------------


async def test_a_name_beyond_ascii_travels_as_smtputf8_where_the_relay_offers_it():
    handler = Handler()
    with relay(handler) as port:
        assert await send(port, confirmation("jörg@bücher.example")) == [Sent()]
    assert handler.mails[0][1] == "jörg@xn--bcher-kva.example"
    assert "SMTPUTF8" in handler.options[0]


async def test_a_name_beyond_ascii_is_refused_where_the_relay_does_not_offer_it():
    handler = Handler()
    with relay(handler, smtputf8=False) as port:
        outcomes = await send(port, confirmation("jörg@example.com"), confirmation("ada@bücher.example"))
    assert outcomes == [Permanent(0, "not-deliverable-here"), Sent()]
    assert handler.mails[0][1] == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@exa mple.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\r\nRCPT TO:<eve@example.com>@example.com",
        "ada<eve@example.com>@example.com",
        '"ada b"@example.com',
        "ada@[127.0.0.1]",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".example",
        "ada\u2028@example.com",
        "ada\x00@example.com",
    ],
)
async def test_what_is_no_address_never_reaches_the_relay(address):
    handler = Handler()
    with relay(handler) as port:
        assert await send(port, confirmation(address)) == [Permanent(0, "bad-address")]
    assert handler.options == []


async def test_nothing_that_is_said_carries_the_address(caplog, capfd):
    caplog.set_level(0)
    said = []
    for step in ("MAIL", "RCPT", "DATA", "."):
        for code in (421, 451, 550, 999):
            handler = Handler()
            handler.answers[step] = f"{code} <secret.person@example.com> is not wanted"
            with relay(handler) as port:
                said += await send(port, confirmation("secret.person@example.com"))
    printed = capfd.readouterr()
    assert all(outcome.reason in smtp.REASONS for outcome in said)
    # `mail.*` are the loggers of the receiving side.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("mail.")]
    parcel = smtp.Parcel("news@example.com", "secret.person@example.com", b"", False)
    assert "secret.person" not in repr(said) + repr(logged) + printed.out + printed.err + repr(parcel)

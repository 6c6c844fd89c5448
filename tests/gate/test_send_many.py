"""Many emails at once, as of a campaign: each has one end, other mail goes first, and a failing relay loses nothing."""

import asyncio
import itertools
import socket

import pytest

from tests.gate.relays import Handler, confirmation, raw, relay, settings
from tests.gate.test_pipelining import Script
from troth.core.config.sections import RelaySection
from troth.gate import mailer, smtp
from troth.gate.mailer import Letter, Permanent, Post, Sent, Temporary, Uncertain


def letters(count, begun=None):
    """(letters, what became of each): `begun` counts those whose content was begun."""
    ends = [[] for _ in range(count)]
    begin = (lambda: begun.append(1)) if begun is not None else (lambda: None)
    return [Letter(confirmation(f"r{n}@example.com"), ends[n].append, begin) for n in range(count)], ends


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def test_each_arrives_once_over_as_many_connections_as_there_are_and_is_begun_first():
    handler, begun = Handler(), []
    sending, ends = letters(150, begun)
    with relay(handler) as port:
        async with Post(settings(port, connections=3)) as post:
            await asyncio.gather(post.send_many(sending[:100]), post.send_many(sending[100:]))
    assert ends == [[Sent()]] * 150 and len(begun) == 150
    assert sorted(mail[1] for mail in handler.mails) == sorted(f"r{n}@example.com" for n in range(150))
    assert handler.sessions <= 3


async def test_over_a_relay_that_pipelines_each_arrives_once_too():
    script = Script()
    sending, ends = letters(40)
    with raw(script) as port:
        async with Post(settings(port, connections=1)) as post:
            await post.send_many(sending)
    assert ends == [[Sent()]] * 40 and len(script.mails) == 40
    assert sum(b"\r\n.\r\nMAIL" in said for said in script.heard) > 20


async def test_each_has_the_outcome_of_its_own():
    handler = Handler()
    handler.answers["RCPT"] = list(itertools.islice(itertools.cycle(["250 OK", "550 5.1.1 no", "451 4.7.1 grey"]), 30))
    sending, ends = letters(30)
    with relay(handler) as port:
        async with Post(settings(port, connections=1)) as post:
            await post.send_many([*sending, Letter(confirmation("nobody"), (refused := []).append)])
    expected = [Sent(), Permanent(550, "no-such-address"), Temporary(451, "policy")]
    assert ends == [[outcome] for outcome in expected * 10] and refused == [Permanent(0, "bad-address")]


async def test_any_other_mail_goes_before_those_that_wait():
    handler = Handler()
    handler.seconds = 0.02
    sending, ends = letters(60)
    with relay(handler) as port:
        async with Post(settings(port, connections=1)) as post:
            many = asyncio.create_task(post.send_many(sending))
            while len(handler.mails) < 5:  # noqa: ASYNC110 - it lives in another thread
                await asyncio.sleep(0.01)
            assert await post.send(confirmation("first@example.com")) == Sent()
            assert sum(map(len, ends)) < 30
            await many
    assert handler.mails[-1][1] != "first@example.com" and handler.sessions == 1


async def test_what_was_not_begun_when_told_to_leave_off_is_given_back():
    handler, begun = Handler(), []
    handler.seconds = 0.02
    sending, ends = letters(100, begun)
    with relay(handler) as port:
        async with Post(settings(port, connections=2)) as post:
            many = asyncio.create_task(post.send_many(sending))
            while len(handler.mails) < 5:  # noqa: ASYNC110 - it lives in another thread
                await asyncio.sleep(0.01)
            post.leave_off()
            await asyncio.wait_for(many, 10)
    outcomes = [outcome for (outcome,) in ends]
    assert outcomes.count(Sent()) == len(handler.mails) == len(begun) < 20
    assert outcomes.count(None) == 100 - len(begun)


@pytest.fixture
def tried(monkeypatch):
    """The ports of connections that were tried. Emails are prepared one at a time, as on the slowest machine, and a
    relay rests for longer than a test can take."""
    monkeypatch.setattr(mailer, "_AT_MOST_SECONDS", 0)
    monkeypatch.setattr("troth.gate.relay._FIRST_REST", 900.0)
    ports = []
    opened = smtp.RelayConnection.open

    async def counted(access):
        ports.append(access.door.port)
        return await opened(access)

    monkeypatch.setattr("troth.gate.relay.RelayConnection.open", counted)
    return ports


async def test_where_the_relay_cannot_be_reached_all_wait_for_it_and_it_is_not_asked_for_each(tried):
    sending, ends = letters(200)
    async with Post(settings(closed_port(), connections=2)) as post:
        await post.send_many(sending)
        assert post.rests
    assert ends == [[Temporary(0, "unreachable")]] * 200
    assert len(tried) <= 2


async def test_what_is_claimed_while_it_cannot_be_reached_asks_it_once(tried):
    sending, ends = letters(40)
    async with Post(settings(closed_port(), connections=2)) as post:
        await post.send_many(sending[:20])
        before = len(tried)
        await post.send_many(sending[20:])
        await post.send_many([])
    assert ends == [[Temporary(0, "unreachable")]] * 40
    assert len(tried) == before + 1


async def test_once_it_answers_again_all_the_others_of_that_claim_leave(tried):
    port, handler = closed_port(), Handler()
    sending, ends = letters(40)
    async with Post(settings(port, connections=2)) as post:
        await post.send_many(sending[:20])
        with relay(handler, port=port):
            await post.send_many(sending[20:])
        assert not post.rests
    assert ends == [[Temporary(0, "unreachable")]] * 20 + [[Sent()]] * 20


async def test_where_none_of_several_can_be_reached_each_is_asked_no_more_often_than_it_has_connections(tried):
    further = RelaySection(name="second", address=f"smtp://localhost:{closed_port()}", connections=2)
    sending, ends = letters(100)
    async with Post(settings(closed_port(), connections=2), further=[further]) as post:
        await post.send_many(sending)
        assert post.rests
    assert ends == [[Temporary(0, "unreachable")]] * 100
    assert len(tried) <= 8  # each connection's first email, by one relay and then by the other


async def test_one_that_refuses_for_now_is_asked_rather_than_one_that_cannot_be_reached(tried):
    handler, silent = Handler(), closed_port()
    handler.answers["MAIL"] = ["451 4.3.0 later"] * 20
    sending, ends = letters(20)
    with relay(handler) as second:
        further = RelaySection(name="second", address=f"smtp://localhost:{second}", connections=2)
        async with Post(settings(silent, connections=2), further=[further]) as post:
            await asyncio.wait_for(post.send_many(sending), 30)
    assert all(end in ([Temporary(451, "relay-busy")], [Temporary(0, "unreachable")]) for end in ends)
    assert ends.count([Temporary(451, "relay-busy")]) >= 16
    assert tried.count(silent) <= 4


async def test_another_relay_takes_what_the_first_cannot():
    two = Handler()
    sending, ends = letters(50)
    with relay(two) as second:
        further = RelaySection(name="second", address=f"smtp://localhost:{second}", connections=2)
        async with Post(settings(closed_port(), connections=2), further=[further]) as post:
            await post.send_many(sending)
    assert ends == [[Sent()]] * 50 and len(two.mails) == 50


async def test_a_relay_that_dies_with_each_connection_leaves_uncertain_only_what_it_was_handed():
    script = Script(end=[None] * 10)
    sending, ends = letters(30)
    with raw(script) as port:
        async with Post(settings(port, connections=1)) as post:
            await post.send_many(sending)
    outcomes = [outcome for (outcome,) in ends]
    assert outcomes.count(Uncertain("connection-lost")) == 10
    assert outcomes.count(Sent()) == 20
    assert len(script.mails) == 30


async def test_an_error_of_ours_reaches_who_waits(monkeypatch):
    async def broken(*_arguments):
        raise RuntimeError

    monkeypatch.setattr(mailer.Relay, "send_each", broken)
    with relay(Handler()) as port:
        async with Post(settings(port, connections=2)) as post:
            with pytest.raises(RuntimeError):
                await asyncio.wait_for(post.send_many(letters(300)[0]), 10)


async def test_a_relay_that_takes_so_many_over_one_connection_takes_the_rest_over_others():
    class Few(Script):
        def __call__(self, client):
            self.answers["MAIL"] = [*[b"250 OK"] * 7, b"421 4.7.0 enough"]
            super().__call__(client)

    script = Few()
    sending, ends = letters(50)
    with raw(script) as port:
        async with Post(settings(port, connections=1)) as post:
            await post.send_many(sending)
            assert not post.rests
    assert ends == [[Sent()]] * 50 and len(script.mails) == 50


async def test_one_that_refuses_a_sender_for_now_is_asked_for_each():
    handler = Handler()
    handler.answers["MAIL"] = [*["250 OK"] * 5, "451 4.3.0 later", *["250 OK"] * 40]
    sending, ends = letters(40)
    with relay(handler) as port:
        async with Post(settings(port, connections=1)) as post:
            await post.send_many(sending)
    assert ends.count([Sent()]) == 39 and ends.count([Temporary(451, "relay-busy")]) == 1

"""Two mail relays at once: both are used, one that fails is left alone, and nothing that was begun goes to another."""

import asyncio
import socket
from dataclasses import dataclass

import pytest

from tests.gate.relays import Handler, confirmation, raw, relay, settings
from troth.core.config.sections import RelaySection
from troth.gate import relay as gate_relay
from troth.gate.mailer import Permanent, Post, Sent, Temporary, Uncertain


@dataclass
class Clock:
    now: float = 1_000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    held = Clock()
    monkeypatch.setattr(gate_relay, "time", held)
    return held


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def post(first, second, **changes):
    further = RelaySection(name="second", address=f"smtp://localhost:{second}", connections=2)
    return Post(settings(first, connections=2, **changes), further=[further])


async def send(sender, count=1):
    return [await sender.send(confirmation()) for _ in range(count)]


def in_turn(first, second, *counts, clock=None, seconds=0.0, **changes):
    async def run():
        outcomes = []
        async with post(first, second, **changes) as sender:
            for count in counts:
                outcomes.append(await send(sender, count))
                if clock:
                    clock.now += seconds
        return outcomes

    return asyncio.run(run())


def test_both_take_their_share_where_many_leave_at_once():
    one, two = Handler(), Handler()
    one.seconds = two.seconds = 0.05

    async def run(first, second):
        async with post(first, second) as sender:
            return await asyncio.gather(*(sender.send(confirmation()) for _ in range(12)))

    with relay(one) as first, relay(two) as second:
        outcomes = asyncio.run(run(first, second))
    assert outcomes == [Sent()] * 12
    assert len(one.mails) + len(two.mails) == 12
    assert min(len(one.mails), len(two.mails)) >= 4


def test_the_second_takes_over_from_one_that_cannot_be_reached(clock):
    two = Handler()
    with relay(two) as second:
        assert in_turn(closed_port(), second, 3) == [[Sent()] * 3]
    assert len(two.mails) == 3


@pytest.mark.parametrize("step", ["MAIL", "DATA"])
def test_one_that_refuses_for_now_is_left_alone_and_tried_again_after_its_rest(clock, step):
    one, two = Handler(), Handler()
    one.answers[step] = "451 4.3.0 later"
    with relay(one) as first, relay(two) as second:
        assert in_turn(first, second, 4, 1, clock=clock, seconds=31) == [[Sent()] * 4, [Sent()]]
    assert (len(one.mails), len(two.mails)) == (0, 5)
    assert len(one.options) == 2, "once, and once more after its rest"


def test_one_that_works_again_is_used_again(clock):
    one, two = Handler(), Handler()
    one.answers["MAIL"] = ["451 4.3.0 later", *["250 OK"] * 9]
    with relay(one) as first, relay(two) as second:
        in_turn(first, second, 3, 3, clock=clock, seconds=31)
    assert (len(one.mails), len(two.mails)) == (3, 3)


def test_one_that_drops_each_connection_before_data_loses_nothing(clock):
    one, two = Handler(), Handler()
    one.die = "MAIL"
    with relay(one) as first, relay(two) as second:
        assert in_turn(first, second, 3) == [[Sent()] * 3]
    assert (len(one.mails), len(two.mails)) == (0, 3)


def test_one_that_says_a_byte_a_second_is_given_up_within_its_time_limit(clock):
    two, held = Handler(), []

    def dribble(client):
        client.sendall(b"2")  # and no more: the next byte is due when the time limit is over
        held.append(client.recv(1))

    with raw(dribble) as first, relay(two) as second:
        assert in_turn(first, second, 2) == [[Sent()] * 2]
    assert len(two.mails) == 2


def test_what_died_after_its_content_is_uncertain_and_never_goes_to_the_other():
    one, two = Handler(), Handler()
    one.die = "DATA"
    with relay(one) as first, relay(two) as second:
        ((outcome,),) = in_turn(first, second, 1)
    assert outcome == Uncertain("connection-lost")
    assert (len(one.mails), len(two.mails)) == (1, 0)


@pytest.mark.parametrize("answer", ["451 4.3.0 later", "421 4.3.2 closing"])
def test_what_is_refused_for_now_after_its_content_waits_and_does_not_go_to_the_other(answer):
    one, two = Handler(), Handler()
    one.answers["."] = answer
    with relay(one) as first, relay(two) as second:
        ((outcome,),) = in_turn(first, second, 1)
    assert outcome == Temporary(int(answer[:3]), "relay-busy")
    assert two.mails == []


def test_greylisting_waits_for_the_same_relay():
    one, two = Handler(), Handler()
    one.answers["RCPT"] = "451 4.7.1 greylisted"
    with relay(one) as first, relay(two) as second:
        ((outcome,),) = in_turn(first, second, 1)
    assert (outcome.code, two.sessions) == (451, 0)


def test_an_address_that_is_refused_for_good_is_not_tried_at_the_other():
    one, two = Handler(), Handler()
    one.answers["RCPT"] = "550 5.1.1 nobody"
    with relay(one) as first, relay(two) as second:
        assert in_turn(first, second, 1) == [[Permanent(550, "no-such-address")]]
    assert two.sessions == 0


def test_where_all_rest_one_is_tried_all_the_same_as_if_it_were_the_only_one(clock):
    one = Handler()
    one.answers["MAIL"] = ["451 4.3.0 later", "250 OK"]
    with relay(one) as first:
        refused, sent = in_turn(first, closed_port(), 1, 1)
    assert isinstance(refused[0], Temporary) and sent == [Sent()]


def test_a_single_relay_that_refuses_is_tried_for_each_email():
    one = Handler()
    one.answers["MAIL"] = "451 4.3.0 later"

    async def run(port):
        async with Post(settings(port)) as sender:
            return await send(sender, 3)

    with relay(one) as port:
        assert asyncio.run(run(port)) == [Temporary(451, "relay-busy")] * 3
    assert len(one.options) == 3

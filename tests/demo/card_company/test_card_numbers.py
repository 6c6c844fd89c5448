"""No card number is kept: not in the memory of any process once the buyer has their answer, not in the state, not in
what is printed."""

import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.demo.card_company.company import form, running
from troth.demo.card_company import cards

NUMBER = "5555" + "5555" + "5555" + "4444"
IBAN = "DE8937" + "0400440532013000"


def spellings(number):
    groups = re.findall("....|.+$", number)
    return {mark.join(groups).encode() for mark in ("", " ", "-", "+", "%20")}


def processes(company):
    """The stand-in's processes: the one that listens, the one that sends notices, and one for each connection."""
    parent = psutil.Process(company.process.pid)
    return [parent, *parent.children(recursive=True)]


def places(company, number):
    """In the memory of which processes the number is, in any of its spellings."""
    return [process.pid for process in processes(company) if in_memory(process.pid, spellings(number))]


def in_memory(pid, needles):
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:  # it has ended
        return False
    try:
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r.*$", maps, re.MULTILINE)
        contents = (read(memory, int(start, 16), int(end, 16)) for start, end in regions)
        return any(needle in content for content in contents for needle in needles)
    finally:
        os.close(memory)


def read(memory, start, end):
    """A part of a process's memory; nothing where the kernel shows none."""
    try:
        return os.pread(memory, end - start, start)
    except (OSError, OverflowError):
        return b""


@pytest.mark.parametrize(
    ("number", "fields", "method"),
    [
        (NUMBER, {"number": NUMBER, "month": "12", "year": "34", "cvc": "123", "action": "pay"}, "card"),
        (NUMBER, {"number": " ".join(re.findall("....", NUMBER)), "month": "12", "year": "34", "cvc": "123"}, "card"),
        (IBAN, {"iban": IBAN, "action": "debit"}, "debit"),
        (NUMBER, {"number": NUMBER, "month": "13", "year": "34", "cvc": "123"}, "mistyped"),
    ],
    ids=["plain", "spaced", "iban", "mistyped"],  # pytest puts a test's name into the environment, which is memory, too
)
def test_a_number_is_nowhere_after_the_answer(tmp_path, number, fields, method):
    state = tmp_path / "state.sqlite3"
    with running("--state", str(state)) as company:
        session = company.session(allowed_payment_method_types=["card", "sepa_debit"])
        answer = httpx.post(session.url, data={"email": "ada@example.com", **fields}, trust_env=False)
        assert answer.status_code == 303
        after = company.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.payment_method"]})
        assert after.status == ("open" if method == "mistyped" else "complete")
        assert places(company, number) == []
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert session.id.encode() in files
        assert not any(spelling in files for spelling in spellings(number))


def test_the_search_finds_a_number_that_is_still_being_read():
    """The same search, while the request is not complete: or the test above could not fail."""
    with running() as company:
        session = company.session()
        body = form(email="ada@example.com", number=NUMBER, month="12", year="34", cvc="123", action="pay")
        url = urlsplit(session.url)
        head = f"POST {url.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body[:-1]}"
        with socket.create_connection(("127.0.0.1", url.port)) as connection:
            connection.sendall(head.encode())
            while not places(company, NUMBER):  # until its process has read it; the test's own time limit ends this
                pass
            connection.sendall(body[-1:].encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b" 303 " in answer.splitlines()[0]
        assert places(company, NUMBER) == []
        assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_the_api_takes_no_card_number(company):
    answer = company.web.post(
        "/v1/payment_intents",
        data={"amount": "500", "currency": "eur", "payment_method_data[card][number]": NUMBER},
    )
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "parameter_unknown"
    assert NUMBER not in answer.text


@pytest.mark.parametrize(
    ("number", "brand", "behaves"),
    [
        ("4242" * 4, "visa", "success"),
        ("3782" + "822463" + "10005", "amex", "success"),
        ("6011" + "1111" + "1111" + "1117", "discover", "success"),
        ("4000" + "0000" + "0000" + "0002", "visa", "generic_decline"),
        ("4000" + "0027" + "6000" + "3184", "visa", "challenge"),
        ("4111" + "1111" + "1111" + "1111", "visa", "not_a_test_card"),
    ],
)
def test_a_card_becomes_its_brand_last_four_and_behaviour(number, brand, behaves):
    method = cards.card(number, "1", "34", "123", today=(2026, 11))
    assert (method.brand, method.last4, method.behaves) == (brand, number[-4:], behaves)
    assert number not in repr(method)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (("4242" * 3 + "4241", "12", "34", "123"), "number"),
        (("", "12", "34", "123"), "number"),
        (("4242" * 4, "13", "34", "123"), "month"),
        (("4242" * 4, "12", "3", "123"), "year"),
        (("4242" * 4, "10", "26", "123"), "year"),
        (("4242" * 4, "11", "26", "12"), "cvc"),
        (("４２４２" * 4, "12", "34", "123"), "number"),
    ],
)
def test_what_cannot_be_a_card_is_refused_by_field(fields, field):
    with pytest.raises(cards.CardError) as caught:
        cards.card(*fields, today=(2026, 11))
    assert caught.value.field == field

import asyncio
import re
from datetime import timedelta
from hashlib import sha256

import pytest

from tests.front.client import BACK, CONSENT, WORDING, Client, solved
from troth.core import clock
from troth.front import request_context
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone
from troth.newsletter.published import OfferedSentence

FORM = "/troth/newsletter"


async def test_a_sign_up_is_sealed_and_handed_to_the_clerk_before_the_thanks(client, line, keys):
    answer = await client.sign_up(name="Ada Example", postal_address="1 Example Row\r\nExampleton")
    assert (answer.status, answer.headers["location"]) == (303, "/troth/thanks/signup")
    [(kind, envelope, _, _)] = line.frames
    entry = keys.sign_up(envelope)
    assert kind == 1
    assert entry.email.reveal() == "ada@example.org"
    assert entry.name.reveal() == "Ada Example"
    assert entry.postal_address.reveal() == "1 Example Row\nExampleton"
    assert entry.telephone is None
    assert entry.wording == sha256(CONSENT.encode()).digest()
    assert b"ada" not in envelope


async def test_the_form_page_asks_only_for_what_the_operator_set(client, front):
    front.publish(form={"fields": ["email", "company"], "required": ["email", "company"]})
    page = (await client.get(FORM)).text
    assert 'name="company"' in page
    assert 'name="telephone"' not in page
    assert "Example &lt;Software&gt;" in page


@pytest.mark.parametrize("name", ["colour", "birthday", "emails"])
async def test_an_unknown_field_is_refused_by_name_and_nothing_is_stored(client, line, name):
    answer = await client.sign_up(**{name: "something typed"})
    assert answer.status == 400
    assert f": {name}" in answer.text
    assert "something typed" not in answer.text
    assert not line.frames


async def test_a_field_that_this_form_does_not_ask_for_is_unknown(client, front, line):
    front.publish(proof_of_work=0, form={"fields": ["email"]})
    answer = await client.sign_up(name="Ada")
    assert answer.status == 400
    assert not line.frames
    # A form that was pasted while it was asked for comes back as it is now, with the rest of what was typed.
    assert "no longer asks for: name." in answer.text and "Ada" not in answer.text
    assert 'value="ada@example.org"' in answer.text and 'name="name"' not in answer.text
    assert (await client.sign_up(name="Ada", headers={"accept": "application/json"})).json["anew"]
    assert (await client.sign_up(name="")).status == 303
    assert (await client.sign_up(message="Ada")).status == 400  # this form never asked for that
    assert len(line.frames) == 1


async def test_a_repeated_field_is_refused(client, line):
    answer = await client.post(FORM, body=b"email=a%40example.org&email=b%40example.org&wording=" + WORDING.encode())
    assert answer.status == 400
    assert "twice: email" in answer.text
    assert not line.frames


@pytest.mark.parametrize("name", ["4111111111111111", "a" * 40, "na\u00efve", "<blink>", "tel0301234"])
async def test_a_field_name_that_is_not_plain_letters_is_not_repeated(client, name):
    answer = await client.sign_up(**{name: "x"})
    assert answer.status == 400
    assert name not in answer.text


async def test_a_body_beyond_its_limit_is_413(client, line):
    answer = await client.sign_up(name="x" * 17_000)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert not line.frames


async def test_a_body_beyond_its_limit_is_413_even_if_it_does_not_say_its_length(client, line):
    chunks = [b"email=a%40example.org&name=" + b"x" * 8000] + [b"x" * 8000] * 3
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert (await client.ask("POST", FORM, chunks=chunks, **kind)).status == 413
    assert not line.frames


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencoded; charset=latin-1",
    ],
)
async def test_another_content_type_is_415(client, line, kind):
    answer = await client.post(FORM, body=b"email=a%40example.org", **{"content-type": kind})
    assert answer.status == 415
    assert not line.frames


async def test_a_compressed_body_is_415(client):
    assert (await client.sign_up(headers={"content-encoding": "gzip"})).status == 415


@pytest.mark.parametrize(
    "body", [b"email=%ff%fe", b"email=\xff", b"email=%zz", b"email=%4", b"email", b"email=a&&name=b"]
)
async def test_broken_bytes_are_400(client, line, body):
    assert (await client.post(FORM, body=body)).status == 400
    assert not line.frames


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ada\0"), ("name", "Ada\nBcc: x@example.org"), ("name", "Ada\r\nSubject: x"), ("name", "a\x1bb"),
        ("email", "ada@example.org\r\nBcc: x@example.org"), ("email", "a\0@example.org"), ("company", "x\u202ey"),
        ("postal_address", "a\x00b"), ("name", "a\u2028b"), ("email", "ada@example.org\nx"),
    ],
)  # fmt: skip
async def test_control_characters_and_header_injection_are_422(client, line, field, value):
    answer = await client.sign_up(**{field: value})
    assert answer.status == 422
    assert 'aria-invalid="true"' in answer.text
    assert not line.frames


@pytest.mark.parametrize(
    "email",
    [
        "", "ada", "@example.org", "ada@", "ada@localhost", "ada@example..org", "a b@example.org", "ada@[127.0.0.1]",
        "ada@example.org,bob@example.org", '"ada"@example.org', "x" * 65 + "@example.org", "ada@exa_mple.org",
        "\u00e4da@example.org", "ada@p\u0430ypal.example", "a@" + "b" * 250 + ".org", "Ada <ada@example.org> Bob",
    ],
)  # fmt: skip
async def test_what_is_no_address_is_422_and_shown_again(client, line, email):
    answer = await client.sign_up(email=email, name="Ada Example")
    assert answer.status == 422
    assert 'value="Ada Example"' in answer.text
    assert 'href="#newsletter-email"' in answer.text
    assert not line.frames


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"), (" ada@EXAMPLE.org ", "ada@example.org"),
        ("Ada Example <ada@example.org>", "ada@example.org"), ("mailto:ada@example.org\u200f", "ada@example.org"),
        ("ada+news@example.org", "ada+news@example.org"), ("ada@\u4f8b\u3048.example", "ada@xn--r8jz45g.example"),
    ],
)  # fmt: skip
async def test_an_international_domain_travels_in_its_ascii_form(client, line, keys, typed, kept):
    assert (await client.sign_up(email=typed)).status == 303
    assert keys.sign_up(line.frames[0][1]).email.reveal() == kept


@pytest.mark.parametrize("field", ["name", "telephone", "postal_address", "company"])
async def test_a_field_beyond_its_length_is_422(client, line, field):
    assert (await client.sign_up(**{field: "7" * 501})).status == 422
    assert not line.frames


async def test_a_telephone_number_has_digits(client):
    assert (await client.sign_up(telephone="call me")).status == 422
    assert (await client.sign_up(telephone="+49 (30) 901-820 x5")).status == 303


async def test_marks_that_nobody_sees_are_taken_off_and_not_shown_again(client, line, keys):
    name = "\u05d0\u05d1\u05d9\u200f"
    assert (await client.sign_up(name=name, telephone="\u202a+49 30 901820\u202c")).status == 303
    entry = keys.sign_up(line.frames[0][1])
    assert (entry.name.reveal(), entry.telephone.reveal()) == (name[:-1], "+49 30 901820")
    again = await client.sign_up(name=name, email="ada")
    assert again.status == 422
    assert "\u200f" not in again.text


async def test_a_required_field_is_required(client, front):
    front.publish(proof_of_work=0, form={"required": ["email", "name"]})
    answer = await client.sign_up(name="  ")
    assert answer.status == 422
    assert "Enter your name" in answer.text


@pytest.mark.parametrize("field", ["name", "company", "postal_address", "telephone"])
async def test_a_card_number_is_masked_before_it_is_sealed(client, line, keys, field):
    assert (await client.sign_up(**{field: "4111 1111 1111 1111"})).status == 303
    kept = getattr(keys.sign_up(line.frames[0][1]), field).reveal()
    assert "4111 1111" not in kept
    assert kept.endswith("1111")


async def test_a_card_number_is_masked_in_a_form_that_comes_back(client):
    answer = await client.sign_up(email="wrong", name="4111111111111111")
    assert answer.status == 422
    assert "4111111111111111" not in answer.text


async def test_an_address_with_a_card_number_is_not_taken(client, line):
    answer = await client.sign_up(email="4111111111111111@example.org")
    assert answer.status == 422
    assert not line.frames


TRAPS = pytest.mark.parametrize("trap", ["leave_empty", "website"])
"""The field that nobody sees, as it is called now and in forms that were pasted earlier."""


@TRAPS
async def test_whoever_fills_what_nobody_sees_is_thanked_for_nothing_and_loses_nothing(client, line, trap):
    """No proof is asked for on this site: of whom a program filled it in, it is."""
    with clock.hold(clock.now()) as held:
        step = await client.sign_up(name="Ada Example", **{trap: "https://spam.example"})
        assert step.status == 200 and "One more step" in step.text and not line.frames
        assert 'value="Ada Example"' in step.text and "spam" not in step.text
        ticket = step.hidden("ticket")
        early = await client.sign_up(ticket=ticket, **{trap: "filled in again"})
        assert early.status == 422 and not line.frames
        held.move(seconds=9)
        done = await client.sign_up(ticket=ticket, **{trap: "filled in again"})
    assert done.status == 303 and len(line.frames) == 1


@TRAPS
async def test_with_good_work_it_does_not_matter_what_nobody_sees(client, front, line, trap):
    front.publish(proof_of_work=50)
    payload = solved((await client.get("/troth/challenge")).json)
    assert (await client.sign_up(altcha=payload, **{trap: "x"})).status == 303
    assert len(line.frames) == 1
    assert (await client.sign_up(altcha="x", **{trap: "x"})).status == 422
    assert len(line.frames) == 1


@TRAPS
async def test_our_script_empties_what_nobody_sees_and_sends_again(client, line, trap):
    told = await client.sign_up(headers={"accept": "application/json"}, **{trap: "x"})
    assert told.status == 422 and told.json["put"][trap] == ""
    assert (await client.sign_up(headers={"accept": "application/json"}, **told.json["put"])).status == 200
    assert len(line.frames) == 1


async def test_what_nobody_sees_can_be_shown_by_no_style_and_reached_by_no_key(client):
    for page in (await client.get(FORM), await client.get(FORM + "?embed"), await client.get("/troth/privacy/me")):
        (inside,) = re.findall(r"<template>(.*?)</template>", page.text, re.DOTALL)
        assert 'name="leave_empty"' in inside
        assert all(word in inside for word in ("inert", "aria-hidden", 'tabindex="-1"', 'autocomplete="off"'))
        assert 'name="website"' not in page.text


async def test_the_visitor_returns_to_a_listed_page(client):
    answer = await client.sign_up(back=BACK)
    assert (answer.status, answer.headers["location"]) == (303, BACK + "?newsletter=thanks")


@pytest.mark.parametrize(
    "back", [BACK + "x", "https://evil.example/", "//evil.example", "javascript:alert(1)", BACK.upper()]
)
async def test_the_visitor_is_sent_nowhere_else(client, line, back):
    answer = await client.sign_up(back=back)
    assert answer.status == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text
    assert not line.frames
    assert 'value="ada@example.org"' in answer.text and not answer.hidden("back")  # sent again, it goes through
    told = await client.sign_up(back=back, headers={"accept": "application/json"})
    assert told.json["anew"] and "evil" not in told.text


async def test_a_form_with_another_wording_is_shown_again_with_the_present_one(client, line):
    answer = await client.sign_up(wording="00" * 32, name="Ada Example")
    assert answer.status == 422
    assert CONSENT in answer.text
    assert answer.hidden("wording") == WORDING
    assert 'value="Ada Example"' in answer.text
    assert not line.frames
    told = (await client.sign_up(wording="00" * 32, headers={"accept": "application/json"})).json
    assert told["note"] == CONSENT and told["put"] == {"wording": WORDING}


async def test_a_form_with_a_sentence_that_stood_there_earlier_is_taken_with_that_sentence(client, front, line, keys):
    before, other = sha256(b"Send me the letters.").digest(), sha256(b"Never shown.").digest()
    front.publish(proof_of_work=0, form={"consents_before": [before]})
    assert (await client.sign_up(wording=before.hex())).status == 303
    assert (await client.sign_up(wording=other.hex())).status == 422
    assert (await client.sign_up()).status == 303
    assert [keys.sign_up(frame[1]).wording for frame in line.frames] == [before, sha256(CONSENT.encode()).digest()]


async def test_what_was_typed_is_escaped_when_it_is_shown_again(client):
    answer = await client.sign_up(email="x", name='"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_solved_work_is_taken_once(client, front, line):
    front.publish(proof_of_work=50)
    payload = solved((await client.get("/troth/challenge")).json)
    assert (await client.sign_up(altcha=payload)).status == 303
    again = await client.sign_up(altcha=payload, name="Ada Example")
    assert again.status == 409
    assert 'value="Ada Example"' in again.text
    assert len(line.frames) == 1
    [(_, _, once, until)] = line.frames
    assert len(once) == 16
    assert until > clock.now().timestamp()


@pytest.mark.parametrize("payload", ["x", "e30=", "\u00e9", "A" * 5000, "bnVsbA==", "W10="])
async def test_nonsense_for_work_is_422(client, front, line, payload):
    front.publish(proof_of_work=50)
    assert (await client.sign_up(altcha=payload)).status == 422
    assert not line.frames


async def test_no_proof_leads_to_one_more_step_and_then_through(client, front, line):
    front.publish()
    with clock.hold(clock.now()) as held:
        step = await client.sign_up(name="Ada Example", back=BACK)
        assert step.status == 200
        assert "One more step" in step.text
        ticket = step.hidden("ticket")
        early = await client.sign_up(name="Ada Example", back=BACK, ticket=ticket)
        assert early.status == 422
        assert "8 more seconds" in early.text
        assert early.hidden("ticket") == ticket  # the waiting goes on
        assert not line.frames
        held.move(seconds=9)
        done = await client.sign_up(name="Ada Example", back=step.hidden("back"), ticket=ticket)
        assert (done.status, done.headers["location"]) == (303, BACK + "?newsletter=thanks")
        assert (await client.sign_up(ticket=ticket)).status == 409
        assert len(line.frames) == 1


async def test_a_slip_of_the_pen_does_not_cost_the_waiting_time(client, front):
    front.publish()
    with clock.hold(clock.now()) as held:
        ticket = (await client.get(FORM)).hidden("ticket")
        held.move(seconds=9)
        wrong = await client.sign_up(email="x", ticket=ticket)
        assert wrong.hidden("ticket") == ticket
        assert (await client.sign_up(ticket=ticket)).status == 303


async def test_an_old_ticket_is_refused_and_replaced(client, front, line):
    front.publish()
    with clock.hold(clock.now()) as held:
        ticket = (await client.get(FORM)).hidden("ticket")
        held.move(hours=2, seconds=1)
        answer = await client.sign_up(ticket=ticket)
        assert answer.status == 422
        assert answer.hidden("ticket") != ticket
        assert not line.frames


async def test_a_flood_from_one_address_is_429_with_a_time(front, line):
    front.publish(proof_of_work=0, burst=3, refill_seconds=30.0)
    one, other = Client(front, peer="127.0.0.1"), Client(front, peer="127.0.0.2")
    assert [(await one.sign_up()).status for _ in range(4)] == [303, 303, 303, 429]
    refused = await one.sign_up()
    assert 0 < int(refused.headers["retry-after"]) <= 30
    assert (await other.sign_up()).status == 303
    assert len(line.frames) == 4


async def test_a_full_spool_is_503_with_a_time_and_nothing_lost_from_the_form(client, line):
    line.refusal = ClerkBusy(60)
    answer = await client.sign_up(name="Ada Example")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert 'value="Ada Example"' in answer.text


async def test_a_clerk_that_went_is_503(client, line):
    line.refusal = ClerkGone("The server was restarted just now.")
    answer = await client.sign_up(name="Ada Example")
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert 'value="Ada Example"' in answer.text


async def test_a_body_that_does_not_come_is_408(client, front, monkeypatch):
    monkeypatch.setattr(request_context, "BODY_SECONDS", 0.05)

    async def slow(method, path, **headers):
        parts = iter([{"type": "http.request", "body": b"email=", "more_body": True}])
        out = []

        async def receive():
            part = next(parts, None)
            return part or await asyncio.Event().wait()

        async def send(message):
            out.append(message)

        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": b"", "raw_path": b""}
        scope |= {"client": ("127.0.0.1", 1), "headers": headers}
        await front(scope, receive, send)
        return out[0]["status"]

    assert await slow("POST", FORM) == 408


async def test_our_script_gets_its_errors_as_data(client, front):
    origin = {"accept": "application/json", "origin": "https://www.example.com"}
    answer = await client.sign_up(email="x", headers=origin)
    assert answer.status == 422
    assert set(answer.json["fields"]) == {"email"}
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
    good = await client.sign_up(back=BACK, headers=origin)
    assert (good.status, good.json) == (200, {"next": BACK + "?newsletter=thanks"})
    front.publish(proof_of_work=50)
    assert (await client.sign_up(headers=origin)).status == 422


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://www.example.com", "https://www.example.com.evil.example"]
)
async def test_a_script_elsewhere_may_read_nothing(client, origin):
    for path in (FORM, "/troth/challenge"):
        assert "access-control-allow-origin" not in (await client.get(path, origin=origin)).headers


async def test_the_embedded_form_is_plain_html_for_this_site(client):
    answer = await client.get(FORM + "?embed")
    assert 'action="https://www.example.com/troth/newsletter"' in answer.text
    assert f'name="back" value="{BACK}"' in answer.text
    assert "style=" not in answer.text
    assert WORDING in answer.text


async def test_a_held_clock_does_not_let_expired_work_through(client, front, line):
    front.publish(proof_of_work=20)
    payload = solved((await client.get("/troth/challenge")).json)
    with clock.hold(clock.now() + timedelta(minutes=21)):
        assert (await client.sign_up(altcha=payload)).status == 422
    assert not line.frames


async def test_a_form_in_another_language_is_taken_and_comes_back_with_its_own_sentence(client, front, line, keys):
    german = "Ich möchte den Newsletter erhalten."
    digest = sha256(german.encode()).digest()
    translations = [OfferedSentence(language="de", consent=german)]
    front.publish(proof_of_work=0, form={"translations": translations, "consents_before": [digest], "language": "en"})
    answer = await client.sign_up(wording=digest.hex(), email="nobody")
    assert answer.status == 422 and answer.hidden("wording") == digest.hex()
    assert f'<span data-troth-note lang="de">{german}</span>' in answer.text and CONSENT not in answer.text
    assert (await client.sign_up(wording=digest.hex())).status == 303
    assert f'<span data-troth-note lang="en">{CONSENT}</span>' in (await client.get(FORM)).text
    assert [keys.sign_up(frame[1]).wording for frame in line.frames] == [digest]

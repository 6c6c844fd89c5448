"""The contact form: the newsletter's walls around it, and a message in it."""

import pytest

from tests.front.client import BACK, CONTACT_BACK, solved
from troth.core.purpose import Category
from troth.front.forms import fields

FORM = "/troth/contact"
LONGEST = fields.LONGEST[Category.MESSAGE]


async def test_a_message_is_sealed_and_handed_to_the_clerk_before_the_thanks(client, line, keys):
    answer = await client.write(name="Ada Example", message="Hello,\r\n\r\n  does it\tprint?\r\nAda")
    assert (answer.status, answer.headers["location"]) == (303, "/troth/thanks/message")
    [(kind, envelope, _, _)] = line.frames
    entry = keys.message(envelope)
    assert kind == 3
    assert entry.email.reveal() == "ada@example.org"
    assert entry.name.reveal() == "Ada Example"
    assert entry.message.reveal() == "Hello,\n\n  does it\tprint?\nAda"
    assert b"print" not in envelope
    assert "by email" in (await client.get("/troth/thanks/message")).text


async def test_the_page_asks_for_what_the_operator_set_and_says_how_long_it_is_kept(client, front):
    front.publish(contact={"fields": ["email", "company"], "keep_days": 30})
    page = (await client.get(FORM)).text
    assert 'name="company"' in page and 'name="telephone"' not in page and 'name="wording"' not in page
    assert "30 days after the last message" in page
    assert f'maxlength="{LONGEST}"' in page


async def test_where_the_operator_turned_it_off_there_is_no_such_form(client, front, line):
    front.publish(proof_of_work=0, contact={"enabled": False})
    assert (await client.get(FORM)).status == 404
    assert (await client.write()).status == 404
    assert (await client.get("/troth/newsletter")).status == 200
    assert not line.frames


async def test_a_message_without_words_is_422_and_keeps_the_rest(client, line):
    answer = await client.write(message=" \r\n \t\r\n", name="Ada Example")
    assert answer.status == 422
    assert "Enter your message." in answer.text and "Ada Example" in answer.text
    assert not line.frames


async def test_an_address_left_out_is_asked_for_with_the_reason(client):
    assert "we reply there" in (await client.write(email="")).text


@pytest.mark.parametrize("letter", ["a", "ü", "字", "&"])
async def test_the_longest_message_fits_in_any_letters_with_every_detail(client, keys, line, letter):
    most = {"name": 120, "telephone": 0, "postal_address": 500, "company": 160}
    answer = await client.write(message=letter * LONGEST, **{name: letter * size for name, size in most.items()})
    assert answer.status == 303
    assert keys.message(line.frames[0][1]).message.reveal() == letter * LONGEST


async def test_one_letter_more_is_422_and_nothing_that_was_typed_is_lost(client, line):
    answer = await client.write(message="x" * (LONGEST + 1))
    assert answer.status == 422
    assert f"at most {LONGEST:,} characters" in answer.text
    assert "x" * (LONGEST + 1) in answer.text
    assert not line.frames


async def test_a_huge_message_is_413(client, line):
    answer = await client.write(message="x" * 70_000)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert not line.frames


async def test_the_newsletters_body_stays_small(client):
    assert (await client.sign_up(name="x" * 17_000)).status == 413


async def test_files_are_refused_with_a_clear_word(client, line):
    body = b'--x\r\nContent-Disposition: form-data; name="message"; filename="a.png"\r\n\r\nPNG\r\n--x--\r\n'
    answer = await client.post(FORM, body=body, **{"content-type": "multipart/form-data; boundary=x"})
    assert answer.status == 415
    assert "does not accept files" in answer.text
    assert not line.frames


@pytest.mark.parametrize("body", [b"email=a%40example.org&message=%ff%fe", b"email=a%40example.org&message=\xe4"])
async def test_what_is_not_utf8_is_400(client, line, body):
    assert (await client.post(FORM, body=body)).status == 400
    assert not line.frames


@pytest.mark.parametrize("field", ["email", "name", "company", "telephone"])
async def test_header_injection_is_422(client, line, field):
    start = "ada@example.org" if field == "email" else "+49 30 901820"
    assert (await client.write(**{field: start + "\r\nBcc: x@example.org"})).status == 422
    assert not line.frames


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\0b\x1b[31mred\x07", "ab[31mred"),
        ("one\rtwo\u2028three\u2029four\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066hidden\u2069", "hidden"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("\n\nkeep\n\n    this   \n\n", "keep\n\n    this"),
        ("e\u0301", "\u00e9"),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", "family \U0001f468\u200d\U0001f469\u200d\U0001f467"),
    ],
)
async def test_prose_is_taken_without_what_no_reader_sees(client, keys, line, typed, kept):
    assert (await client.write(message=typed)).status == 303
    assert keys.message(line.frames[0][1]).message.reveal() == kept


async def test_a_card_number_in_a_message_is_masked_even_over_a_line_break(client, keys, line):
    await client.write(message="My card is 4111 1111\r\n1111 1111, thanks.")
    assert keys.message(line.frames[0][1]).message.reveal() == "My card is •••• 1111, thanks."


async def test_a_card_number_does_not_come_back_on_an_error_page(client):
    answer = await client.write(email="", message="4111 1111 1111 1111")
    assert "•••• 1111" in answer.text and "4111" not in answer.text


async def test_hostile_text_comes_back_inert(client):
    answer = await client.write(email="", message="</textarea><script>alert(1)</script><b hx-get=/x>")
    assert "<script>alert" not in answer.text and "<b hx-get" not in answer.text


@pytest.mark.parametrize("trap", ["leave_empty", "website"])
async def test_nobody_is_thanked_for_a_message_that_was_not_kept(client, line, trap):
    answer = await client.write(**{trap: "https://spam.example"})
    assert answer.status == 200 and "One more step" in answer.text and "Hello." in answer.text
    assert not line.frames
    asked = await client.post("/troth/privacy/me", {"email": "ada@example.org", trap: "x"})
    assert "One more step" in asked.text and not line.frames


async def test_work_is_asked_for_and_taken(client, front, line):
    front.publish(proof_of_work=50)
    assert "One more step" in (await client.write()).text
    challenge = (await client.get("/troth/challenge")).json
    assert (await client.write(altcha=solved(challenge))).status == 303
    assert (await client.write(altcha=solved(challenge))).status == 409
    assert len(line.frames) == 1


async def test_it_is_taken_over_an_encrypted_connection_only(client, front, line):
    front.publish(proof_of_work=0, trusted_proxies=["127.0.0.1"])
    client.headers = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "http"}
    assert (await client.write()).status == 403
    assert (await client.get(FORM)).status == 403
    assert not line.frames


async def test_it_returns_to_its_own_pages_and_not_to_the_newsletters(client, line):
    answer = await client.write(back=CONTACT_BACK)
    assert answer.headers["location"] == CONTACT_BACK + "?contact=thanks"
    answer = await client.write(back=BACK)
    assert answer.status == 400 and "[contact]" in answer.text
    assert len(line.frames) == 1


async def test_our_script_gets_json(client):
    accept = {"headers": {"accept": "application/json", "origin": "https://www.example.com"}}
    told = await client.write(message="", **accept)
    assert told.json["fields"] == {"message": "Enter your message."}
    told = await client.write(**accept)
    assert told.json == {"next": "https://www.example.com/troth/thanks/message"}
    assert told.headers["access-control-allow-origin"] == "https://www.example.com"


async def test_both_forms_can_stand_on_one_page(client):
    pasted = (await client.get("/troth/newsletter?embed")).text + (await client.get(FORM + "?embed")).text
    ids = [part.partition('"')[0] for part in pasted.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 8
    assert pasted.count('data-troth="https://www.example.com/troth/challenge"') == 2

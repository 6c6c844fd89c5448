"""Whoever's card number was taken out of what they sent is told, whichever way they are led; nobody else is."""

import re

import pytest

from tests.front.client import BACK, CONTACT_BACK, solved
from troth.core.text.card_numbers import mask
from troth.front.forms import labels

CARD = "4242 4242 4242 4242"
JSON = {"accept": "application/json", "origin": "https://www.example.com"}
TOLD = "We removed a number that looks like a card number"


def text_of(answer):
    return re.sub(r"\s+", " ", answer.text)


async def follow(client, where):
    answer = await client.get(where.removeprefix("https://www.example.com"))
    assert answer.status == 200
    return text_of(answer)


async def test_who_wrote_a_card_number_is_told_what_became_of_it(client, line):
    answer = await client.write(message=f"My card is {CARD}.")
    assert (answer.status, answer.headers["location"]) == (303, "/troth/thanks/message/masked")
    page = await follow(client, answer.headers["location"])
    assert labels.MASKED in page and labels.THANKS["message"][1] in page
    assert "4242" not in page and "Back to" not in page
    assert len(line.frames) == 1


@pytest.mark.parametrize("field", ["name", "company", "postal_address", "telephone"])
async def test_so_is_who_signed_up_whatever_field_it_stood_in(client, field):
    answer = await client.sign_up(**{field: CARD})
    assert answer.headers["location"] == "/troth/thanks/signup/masked"
    page = await follow(client, answer.headers["location"])
    assert TOLD in page and labels.THANKS["signup"][2] in page


@pytest.mark.parametrize("headers", [{}, JSON], ids=["plain", "script"])
async def test_who_would_return_to_the_vendors_page_is_told_first_and_has_the_way_there(client, headers):
    for answer, back in (
        (await client.write(message=CARD, back=CONTACT_BACK, headers=headers), CONTACT_BACK + "?contact=thanks"),
        (await client.sign_up(name=CARD, back=BACK, headers=headers), BACK + "?newsletter=thanks"),
    ):
        page = await follow(client, answer.json["next"] if headers else answer.headers["location"])
        assert TOLD in page
        assert f'<a href="{back}">Back to www.example.com</a>' in page


async def test_a_form_that_comes_back_without_the_number_says_so_and_asks_for_nothing_more(client, front):
    front.publish(proof_of_work=50)
    one_more = await client.write(message=f"Card {CARD}")
    assert "One more step" in one_more.text and TOLD in text_of(one_more) and CARD not in one_more.text
    work = solved((await client.get("/troth/challenge")).json)
    assert one_more.hidden("masked") is None
    answer = await client.write(message="Card •••• 4242", altcha=work)
    assert answer.headers["location"] == "/troth/thanks/message"
    refused = await client.write(message=CARD, email="nobody")
    assert refused.status == 422 and TOLD in text_of(refused)


@pytest.mark.parametrize(
    "message",
    [
        "Hello.",
        "My card ends in •••• 4242.",
        "Order 4242 4242 and 4242 4242",
        "+49 4242 4242 4242 42",
        "10.4242424242424242",
    ],
)
async def test_where_nothing_was_taken_out_there_is_not_a_word(client, message):
    assert mask(message) == message
    assert (await client.write(message=message)).headers["location"] == "/troth/thanks/message"
    assert (await client.write(message=message, back=CONTACT_BACK)).headers["location"].startswith(CONTACT_BACK)
    back = await client.write(message=message, email="nobody")
    assert back.status == 422 and TOLD not in text_of(back)
    assert TOLD not in text_of(await client.get("/troth/thanks/message"))


@pytest.mark.parametrize(
    "path", ["nobody/masked", "left/masked", "message/masked/1", "message/masked/-1", "message/masked/x"]
)
async def test_no_other_such_page_exists(client, path):
    assert (await client.get(f"/troth/thanks/{path}")).status == 404

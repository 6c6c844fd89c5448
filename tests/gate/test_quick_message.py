"""The quick writer makes what the standard library makes: read by its parser, field by field and part by part."""

import email
from datetime import UTC, datetime
from email import policy
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.personal import EmailAddress
from troth.gate import message, quick_message
from troth.gate.message import LetterError, Mail, Sender

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENDER = Sender(message.recipient("news@example.com"), "Example Söftware")
TEXTS = (
    "Hello.\n",
    "Grüße an alle.\n\nEin Absatz.\n",
    "x" * 2000 + "\n",
    "ends with blanks  \n\tand begins with a tab = sign\n.\n..dots\nFrom here\n",
    "no newline at its end",
    "\n\nempty lines\n\n\n",
    "ä" * 500,
)
PAGES = ("<p>Hello.</p>\n", "<p>Grüße — 日本</p>\n", "<p>" + "word " * 500 + "</p>", "<p>\n.\n</p>\n\n")


class Letter(Mail):
    """A mail whose parts are given."""

    subject_line = text_part = page_part = ""
    more: ClassVar = {}

    def subject(self):
        return self.subject_line

    def text(self):
        return self.text_part

    def page(self):
        return self.page_part

    def headers(self):
        return self.more


def letter(subject="News", text="Hello.\n", page="<p>Hello.</p>\n", **headers):
    mail = Letter(to=EmailAddress("reader@example.com"), site_name="Example", message_id="<0b7e-1@example.com>")
    object.__setattr__(mail, "subject_line", subject)
    object.__setattr__(mail, "text_part", text)
    object.__setattr__(mail, "page_part", page)
    object.__setattr__(mail, "more", {name.replace("_", "-"): value for name, value in headers.items()})
    return mail


def both(mail):
    to = message.recipient(mail.to)
    quick, slow = quick_message.write(mail, to, SENDER, AT), message.write(mail, to, SENDER, AT)
    return [email.message_from_bytes(content, policy=policy.default) for content in (quick, slow)], quick


def same(mail):
    (quick, slow), content = both(mail)
    assert [(name, str(value)) for name, value in quick.items() if name != "Content-Type"] == [
        (name, str(value)) for name, value in slow.items() if name != "Content-Type"
    ]
    assert quick.get_content_type() == slow.get_content_type() and quick.get_boundary() == slow.get_boundary()
    assert not quick.defects and all(not part.defects for part in quick.walk())
    for ours, theirs in zip(quick.iter_parts(), slow.iter_parts(), strict=True):
        assert ours.get_content_type() == theirs.get_content_type()
        assert ours.get_content().rstrip("\r\n") == theirs.get_content().rstrip("\r\n")
    assert content.isascii() and max(map(len, content.split(b"\r\n"))) < 998
    assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize(("text", "page"), list(product(TEXTS, PAGES)))
def test_parts_of_every_form_are_read_as_the_same(text, page):
    same(letter(text=text, page=page))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=150))
def test_every_subject_is_read_as_the_same(subject):
    same(letter(subject=subject))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n="), max_size=300))
def test_every_text_is_read_as_the_same(text):
    same(letter(text=text, page=f"<p>{text}</p>"))


def test_links_and_ids_stay_whole_on_their_line():
    link = f"<https://www.example.com/troth/unsubscribe/{'x' * 116}>"
    _, content = both(letter(List_Unsubscribe=link, List_Id="<newsletter.example.com>"))
    assert f"List-Unsubscribe: {link}\r\n".encode() in content


def test_a_header_that_is_not_plain_or_not_allowed_is_refused():
    for headers in ({"Bcc": "other@example.com"}, {"List_Id": "<x>\r\nBcc: other@example.com"}, {"List_Id": "ä"}):
        with pytest.raises(LetterError):
            both(letter(**headers))

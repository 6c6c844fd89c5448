"""What a mail may contain, and that nothing can be slipped into it."""

import dataclasses
import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.relays import SITE, confirmation
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.personal import EmailAddress
from troth.gate.message import LetterError, Sender, recipient, write
from troth.newsletter.mails import ConfirmationMail

SENDER = Sender(recipient("news@example.com"))
NAMES = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post"),
    *("mime-version", "content-type"),
}


def written(mail, sender=SENDER):
    return write(mail, recipient(mail.to), sender)


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def test_a_mail_has_exactly_these_headers():
    message = parsed(written(confirmation()))
    assert sorted(name.lower() for name in message) == sorted(NAMES)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == "<0198f0a0-1111-7222-8333-123456789012@example.com>"


def test_the_link_to_leave_stands_whole_in_its_header():
    raw = written(confirmation())
    assert f"\r\nList-Unsubscribe: <{SITE}/unsubscribe/{'B' * 116}>\r\n".encode() in raw


def test_the_link_to_confirm_stands_whole_in_the_text_and_in_the_page():
    message = parsed(written(confirmation()))
    link = f"{SITE}/confirm/{'A' * 116}"
    assert link in message.get_body(("plain",)).get_content()
    assert f'href="{link}"' in message.get_body(("html",)).get_content()


def test_nothing_is_loaded_from_anywhere_and_nothing_runs():
    page = parsed(written(confirmation())).get_body(("html",)).get_content().lower()
    for word in ("<img", "<script", "<link", "src=", "url(", "@import", "<iframe", "<object", "<form"):
        assert word not in page


def test_the_type_has_no_field_for_what_a_visitor_typed_but_the_address():
    fields = {field.name for field in dataclasses.fields(ConfirmationMail)}
    assert fields == {
        *("to", "confirm_url", "site_name", "form_title", "privacy_url", "message_id", "unsubscribe_url"),
        *("maybe_twice", "said"),  # `said` is for the leak index, and stands in no mail
    }
    assert "ada" not in repr(confirmation())


def test_the_date_is_the_clock_s():
    with clock.hold(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        assert parsed(written(confirmation()))["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"


def test_the_same_mail_is_the_same_bytes():
    with clock.hold(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        assert written(confirmation()) == written(confirmation())


def test_a_mail_that_may_come_twice_says_so():
    assert "twice" not in written(confirmation()).decode()
    body = parsed(written(confirmation(maybe_twice=True))).get_body(("plain",)).get_content()
    assert "You may get this email twice" in body


def test_a_vendor_s_name_in_any_script_survives():
    message = parsed(written(confirmation(site_name="Müller & Søn, 株式会社 <x>", form_title='"News" Привет')))
    assert message["From"].addresses[0].display_name == "Müller & Søn, 株式会社 <x>"
    assert message["Subject"] == 'Please confirm your subscription: "News" Привет (Müller & Søn, 株式会社 <x>)'
    assert "株式会社" in message.get_body(("plain",)).get_content()
    assert "&lt;x&gt;" in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00"])
def test_a_line_break_in_the_vendor_s_name_becomes_a_space(breaker):
    told = f"Example{breaker}Bcc: eve@example.com{breaker}{breaker}<script>"
    message = parsed(written(confirmation(site_name=told, form_title=told)))
    assert sorted(name.lower() for name in message) == sorted(NAMES)
    assert message["From"].addresses[0].display_name == "Example Bcc: eve@example.com <script>"


@pytest.mark.parametrize(
    "change",
    [
        {"confirm_url": "http://www.example.com/confirm/x"},
        {"confirm_url": "javascript:alert(1)"},
        {"confirm_url": f"{SITE}/confirm/x\r\nBcc: eve@example.com"},
        {"confirm_url": f"{SITE}/confirm/x y"},
        {"confirm_url": f"{SITE}/confirm/x>,<mailto:eve@example.com"},
        {"confirm_url": "https://elsewhere.example.net/confirm/x"},
        {"unsubscribe_url": ""},
        {"privacy_url": "data:text/html,x"},
        {"message_id": "no-brackets@example.com"},
        {"message_id": "<a@example.com>\r\nBcc: eve@example.com"},
        {"message_id": "<a@example.com> <b@example.com>"},
    ],
)
def test_a_link_or_id_that_is_none_is_refused(change):
    with pytest.raises(LetterError) as refusal:
        confirmation(**change)
    assert "eve" not in str(refusal.value)


def test_links_to_this_machine_may_be_plain_for_trying_it_out():
    here = "http://localhost:8080/troth"
    mail = confirmation(confirm_url=f"{here}/confirm/x", unsubscribe_url=f"{here}/unsubscribe/y", privacy_url="")
    assert f"{here}/confirm/x" in written(mail).decode()


def test_an_idn_sender_and_message_id_are_written_as_dns_has_them():
    mail = confirmation(message_id="<a-1@bücher.example>")
    message = parsed(written(mail, Sender(recipient("news@bücher.example"), "Bücher")))
    assert message["From"].addresses[0].addr_spec == "news@xn--bcher-kva.example"
    assert message["Message-ID"] == "<a-1@xn--bcher-kva.example>"


@given(
    local=st.text(max_size=70),
    domain=st.one_of(st.text(max_size=60), st.sampled_from(["example.com", "bücher.example", "EXAMPLE.org"])),
    site=st.text(max_size=120),
    title=st.text(max_size=120),
    sender=st.text(max_size=60),
    tail=st.text(max_size=60),
)
def test_whatever_is_put_in_no_header_is_added_and_no_recipient(local, domain, site, title, sender, tail):
    try:
        mail = confirmation(f"{local}@{domain}", site_name=site, form_title=title, confirm_url=f"{SITE}/{tail}")
        to = recipient(mail.to)
        content = write(mail, to, dataclasses.replace(SENDER, name=sender))
    except TrothError:
        return
    message = parsed(content)
    head = content.partition(b"\r\n\r\n")[0]
    assert sorted(name.lower() for name in message) == sorted(NAMES)
    assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert f"\r\nTo: {to.envelope()}\r\n".encode() in head
    assert not any(char.isspace() or char in "<>,;\r\n" for char in to.envelope())
    assert len(message["From"].addresses) == 1
    assert message["From"].addresses[0].addr_spec == "news@example.com"


@given(st.from_regex(r"\A[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z"))
def test_every_plain_name_is_carried_unchanged_or_refused(local):
    try:
        to = recipient(EmailAddress(f"{local}@example.com"))
    except LetterError:
        assert local.startswith(".") or local.endswith(".") or ".." in local
        return
    assert to.envelope() == f"{local}@example.com"

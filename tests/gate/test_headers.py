"""Each header of each type of mail as a receiver reads it, whatever the vendor's own domain and name look like."""

import asyncio
import email
import email.policy
import re
from dataclasses import replace
from email.header import decode_header, make_header

import dkim
import pytest

from tests.gate.relays import Handler, dkim_file, relay, settings
from tests.gate.test_common_words import every_mail
from troth.gate.dkim import DkimKey, dns_record
from troth.gate.mailer import Post, Sent
from troth.gate.message import recipient

LONG = ".".join(["a" * 60, "b" * 60, "c" * 50, "example"])
DOMAINS = ("example.com", "bücher.example", "straße.example", f"{'v' * 38}.example", LONG, f"bücher-{'ü' * 20}.{LONG}")
NAMES = ("", "The Example Team", "Bücher & Söhne, Verlag", "株式会社 " * 12)
_ID = re.compile(r"<[^\s<>@=?]+@[^\s<>@=?]+>")


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    return dkim_file(tmp_path_factory.mktemp("dkim"))


def received(mails, key_file, domain, name):
    """These mails as they reach a relay, sent from `news@` this domain."""
    handler = Handler()

    async def send():
        with relay(handler) as port:
            from_us = settings(port, sender=f"news@{domain}", sender_name=name)
            async with Post(from_us, DkimKey.load(key_file, domain, "troth")) as post:
                return [await post.send(mail) for mail in mails]

    assert set(asyncio.run(send())) == {Sent()}
    return handler.mails


def of_domain(mail, domain):
    """The same mail, with the ids and addresses that a vendor of this domain gives it."""
    changes = {"message_id": mail.message_id.replace("@example.com", f"@{domain}")}
    if hasattr(mail, "about"):
        changes |= {"about": mail.about.replace("@example.com", f"@{domain}"), "reply_to": f"support@{domain}"}
    return replace(mail, **changes)


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_header_holds_what_it_is_for(key_file, domain):
    ours = recipient(f"news@{domain}").domain
    record = dns_record(key_file, "troth", domain)[1].encode()
    mails = [of_domain(mail, domain) for mail in every_mail(twice=False)]
    for name in NAMES:
        for mail, (sender, to, content) in zip(mails, received(mails, key_file, domain, name), strict=True):
            message = email.message_from_bytes(content, policy=email.policy.default)
            plain = email.message_from_bytes(content, policy=email.policy.compat32)
            (author,) = message["From"].addresses
            assert (sender, author.addr_spec) == (f"news@{ours}", f"news@{ours}")
            shown = str(make_header(decode_header(plain["From"]))).rpartition(" <")[0]
            assert shown.strip('"') == " ".join((name or mail.site_name).split())
            assert (to, message["To"].addresses[0].addr_spec) == ("ada@example.org", "ada@example.org")
            assert str(make_header(decode_header(plain["Subject"]))).split() == mail.subject().split()
            assert _ID.fullmatch(plain["Message-ID"].strip()) and plain["Message-ID"].strip().endswith(f"@{ours}>")
            if "References" in plain:
                assert _ID.fullmatch(plain["References"].strip()) and plain["References"].strip().endswith(f"@{ours}>")
                assert [one.addr_spec for one in message["Reply-To"].addresses] == [f"support@{ours}"]
            if "List-Unsubscribe" in plain:
                assert plain["List-Unsubscribe"] == f"<{mail.unsubscribe_url}>"
                assert plain["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert f"d={ours};" in plain["DKIM-Signature"]
            assert dkim.verify(content, dnsfunc=lambda _name, timeout=5: record)
            assert max(map(len, content.split(b"\r\n"))) <= 998 and content.isascii()


def test_a_reply_address_beyond_ascii_before_the_at_sign_goes_by_smtputf8(key_file):
    answers = [mail for mail in every_mail(twice=False) if hasattr(mail, "reply_to")]
    answers = [replace(mail, reply_to="jörg@bücher.example") for mail in answers]
    for _, _, content in received(answers, key_file, "example.com", ""):
        assert "Reply-To: jörg@xn--bcher-kva.example\r\n".encode() in content

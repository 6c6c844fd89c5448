"""Signatures, tried with dkimpy, which others verify with."""

import re

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.relays import confirmation, dkim_file
from troth.gate.dkim import DkimError, DkimKey, dns_record, relaxed_body, relaxed_field
from troth.gate.message import Sender, recipient, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dkim")


@pytest.fixture(scope="module")
def key_file(folder):
    return dkim_file(folder)


@pytest.fixture(scope="module")
def verify(key_file):
    name, value = dns_record(key_file, "troth", "example.com")

    def verified(content):
        def look_up(asked, timeout=5):
            return value.encode() if asked.decode().rstrip(".") == name else None

        try:
            return dkim.verify(content, dnsfunc=look_up)
        except dkim.DKIMException:
            return False

    return verified


def letter(to="ada@example.com", **changes):
    mail = confirmation(to, **changes)
    return write(mail, recipient(mail.to), Sender(recipient("news@example.com")))


@pytest.fixture(scope="module")
def signed(key_file):
    return DkimKey.load(key_file, "example.com", "troth").sign(letter())


def test_a_signed_mail_verifies(signed, verify):
    assert verify(signed)


@pytest.mark.parametrize(
    ("to", "name"), [("jörg@bücher.example", "Müller"), ("ada@example.com", "株式会社 " * 20), ("a@example.com", "")]
)
def test_mails_of_all_kinds_verify(key_file, verify, to, name):
    assert verify(DkimKey.load(key_file, "example.com", "troth").sign(letter(to, site_name=name)))


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Content-Type",
        "MIME-Version",
    ],
)
def test_changing_a_covered_header_breaks_the_signature(signed, verify, name):
    changed = re.sub(rf"(?m)^{name}: .".encode(), f"{name}: !".encode(), signed, count=1)
    assert changed != signed and not verify(changed)


@pytest.mark.parametrize("name", ["From", "Subject", "To", "List-Unsubscribe-Post", "List-Unsubscribe"])
def test_adding_a_second_header_breaks_the_signature(signed, verify, name):
    assert not verify(f"{name}: eve@example.com\r\n".encode() + signed)
    head, gap, body = signed.partition(b"\r\n\r\n")
    assert not verify(head + f"\r\n{name}: eve@example.com".encode() + gap + body)


def test_taking_the_one_click_header_out_breaks_the_signature(signed, verify):
    without = signed.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"")
    assert without != signed and not verify(without)


def test_changing_the_text_breaks_the_signature(signed, verify):
    assert not verify(signed.replace(b"Someone", b"Nobody!"))


def test_spaces_that_mail_servers_change_do_not_break_it(signed, verify):
    assert verify(signed.replace(b"Subject: Please", b"Subject:   Please") + b"\r\n\r\n")


def test_the_dns_record_is_what_verifiers_ask_for(key_file):
    name, value = dns_record(key_file, "troth", "Bücher.example")
    assert name == "troth._domainkey.xn--bcher-kva.example"
    assert value.startswith("v=DKIM1; k=rsa; p=MII") and " " not in value[len("v=DKIM1; k=rsa; ") :]


def test_a_key_that_is_missing_damaged_short_or_of_another_kind_is_refused(folder, tmp_path):
    short = dkim_file(tmp_path, bits=1024)
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    other = tmp_path / "ec.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for path in (short, damaged, other, tmp_path / "missing.pem"):
        with pytest.raises(DkimError) as refusal:
            DkimKey.load(path, "example.com", "troth")
        assert refusal.value.mend and "secret" not in str(refusal.value)


@pytest.mark.parametrize(("domain", "selector"), [("exa mple.com", "troth"), ("example.com", "a;b"), ("", "troth")])
def test_a_domain_or_selector_that_is_none_is_refused(key_file, domain, selector):
    with pytest.raises(DkimError):
        DkimKey.load(key_file, domain, selector)


def test_the_key_is_not_shown(key_file):
    assert "PrivateKey" not in repr(DkimKey.load(key_file, "example.com", "troth"))


@given(st.lists(st.text(alphabet=" \ta.é", max_size=12), max_size=8))
def test_bodies_are_made_canonical_as_dkimpy_does(lines):
    body = "\r\n".join(lines).encode()
    # dkimpy leaves a last line without its line end as it is only where spaces alone follow; ours are always whole.
    whole = body + b"\r\n"
    assert relaxed_body(whole) == dkim.canonicalization.Relaxed.canonicalize_body(whole)


@given(st.text(alphabet=" \tab:", max_size=20), st.text(alphabet=" \tc,", max_size=20))
def test_fields_are_made_canonical_as_dkimpy_does(one, two):
    value = f"{one}\r\n {two}".encode()
    expected = dkim.canonicalization.Relaxed.canonicalize_headers([(b"Subject", value)])[0]
    assert relaxed_field(b"Subject:" + value) + b"\r\n" == expected[0] + b":" + expected[1]

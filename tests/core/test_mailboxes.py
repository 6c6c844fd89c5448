"""All spellings of one mailbox are one; two people's are two."""

import pytest

from troth.core.text.mailboxes import PROVIDERS, is_shared, mailbox, skeleton

GMAIL = [
    "anna.smith@gmail.com", "annasmith@gmail.com", "a.n.n.a.smith@gmail.com", "annasmith+news@gmail.com",
    "anna.smith+x+y@googlemail.com", "annasmith@googlemail.com",
]  # fmt: skip
SAME = [
    GMAIL,
    ["anna@outlook.com", "anna+x@outlook.com"],
    ["anna@hotmail.com", "anna+shop@hotmail.com"],
    ["anna@icloud.com", "anna+x@icloud.com", "anna@me.com", "anna@mac.com"],
    ["anna@fastmail.com", "anna+x@fastmail.com", "anything@anna.fastmail.com", "a+b@anna.fastmail.com"],
    ["annasmith@proton.me", "anna.smith@proton.me", "anna-smith@protonmail.com", "anna_smith+x@pm.me"],
    ["anna@yahoo.com", "anna-shop@yahoo.com", "anna+x@yahoo.com"],
    ["anna.smith@yandex.ru", "anna-smith@yandex.com", "anna-smith+x@ya.ru"],
    ["anna@zoho.com", "anna+x@zoho.com"],
    ["anna@example.com", "anna+x@example.com"],
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda one: one[0])
def test_every_spelling_of_a_mailbox_is_that_mailbox(spellings):
    assert len({mailbox(one) for one in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna.smith@example.com", "annasmith@example.com"),
        ("anna.smith@outlook.com", "annasmith@outlook.com"),
        ("anna@outlook.com", "anna@hotmail.com"),
        ("anna-lee@gmail.com", "anna@gmail.com"),
        ("anna@fastmail.com", "anna@berta.fastmail.com"),
        ("anna@mail.example.com", "anna@example.com"),
        ("anna@yahoo.com", "anna@yahoo.de"),
        ("anna@gmail.com", "berta@gmail.com"),
    ],
)
def test_two_peoples_mailboxes_are_two(one, other):
    assert mailbox(one) != mailbox(other)


ODD = ["+@gmail.com", ".@gmail.com", "-@yahoo.com", "+x@example.com", "@", "anna@", "x@.fastmail.com"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_addresses_are_no_error(odd):
    assert "@" in mailbox(odd)
    skeleton(odd)


def test_what_looks_alike_has_one_skeleton_at_its_domain():
    alike = ["anna.smith@example.com", "annasmith1@example.com", "anna_smith-22+x@example.com"]
    assert {skeleton(one) for one in alike} == {"annasmith@example.com"}
    assert {skeleton(one) for one in ("anna1@gmail.com", "anna2@gmail.com", "anna@gmx.de")} == {""}
    assert skeleton("12345@example.com") == "" and skeleton("anna@example.org") != skeleton("anna@example.com")


def test_no_domain_is_two_providers():
    domains = [domain for provider in PROVIDERS for domain in provider.domains.split()]
    assert len(domains) == len(set(domains)) and all(map(is_shared, domains)) and not is_shared("example.com")

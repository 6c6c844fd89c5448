"""What a browser keeps of a cookie and sends along, as RFC 6265bis has it, at its strictest."""

import pytest

from troth.proofs.instruments.cookie_rules import is_sent, kept

FRONT = "https://www.example.com/troth"
CHOICE = "troth-count=no; HttpOnly; Max-Age=31536000; Path=/troth; SameSite=lax; Secure"


@pytest.mark.parametrize(
    ("set_cookie", "address"),
    [
        ("troth-count=no; Path=/troth; SameSite=none", FRONT),
        ("troth-count=no; Path=/troth; Secure", "http://www.example.com/troth"),
        ("troth-count=no; Domain=example.org; Path=/troth", FRONT),
        ("troth-count=no; Domain=com; Path=/", FRONT),
        ("troth-count=no; Domain=co.uk; Path=/", "https://www.example.co.uk/"),
        ("troth-count=no; Max-Age=0; Path=/troth", FRONT),
        ("__Host-count=no; Secure; Path=/troth", FRONT),
        ("", FRONT),
    ],
)
def test_a_browser_refuses(set_cookie, address):
    assert kept(set_cookie, f"{address}/privacy/choices") is None


@pytest.mark.parametrize(
    ("set_cookie", "page", "sent"),
    [
        (CHOICE, "https://www.example.com/docs", True),
        (CHOICE, "https://example.com/", True),
        (CHOICE, "https://docs.example.com:8443/", True),
        (CHOICE, "https://example.org/", False),
        (CHOICE, "http://www.example.com/", False),
        (CHOICE.replace("lax", "none"), "https://example.org/", False),
        (CHOICE.replace("lax", "strict"), "https://example.com/", True),
        (CHOICE.replace("Path=/troth", "Path=/troth/privacy/choices"), "https://www.example.com/", False),
        (CHOICE.replace("Path=/troth", "Path=/tro"), "https://www.example.com/", False),
        (CHOICE.replace("Path=/troth; ", ""), "https://www.example.com/", False),
        ("troth-count=no; Domain=example.com; Path=/troth", "https://www.example.com/", True),
    ],
)
def test_a_hit_brings_it_along_or_does_not(set_cookie, page, sent):
    cookie = kept(set_cookie, f"{FRONT}/privacy/choices")
    assert is_sent(cookie, f"{FRONT}/hit", page) is sent


def test_on_this_machine_ports_are_no_other_site_but_a_name_and_an_address_are():
    cookie = kept("troth-count=no; Path=/; SameSite=lax", "http://localhost:8700/privacy/choices")
    assert is_sent(cookie, "http://localhost:8700/hit", "http://localhost:8702/")
    assert not is_sent(cookie, "http://localhost:8700/hit", "http://127.0.0.1:8702/")

"""Which hosts are one site to a browser."""

import pytest

from troth.core.same_site import same_site


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("www.example.com", "example.com", True),
        ("stats.example.com", "docs.example.com", True),
        ("a.b.example.com", "Example.com.", True),
        ("www.example.co.uk", "stats.example.co.uk", True),
        ("one.co.uk", "other.co.uk", False),
        ("vendor.github.io", "other.github.io", False),
        ("vendor.github.io", "www.vendor.github.io", True),
        ("example.com", "example.org", False),
        ("stats.example.net", "www.example.com", False),
        ("localhost", "localhost", True),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.1", "10.0.0.1", False),
        ("1.2.3.4", "9.2.3.4", False),
        ("badexample.com", "example.com", False),
    ],
)
def test_two_hosts_are_one_site_or_two(one, other, same):
    assert same_site(one, other) is same_site(other, one) is same

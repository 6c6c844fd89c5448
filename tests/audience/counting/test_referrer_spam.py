"""Referrer spam: what ships, what the operator adds, and what lies under either."""

import re

from troth.audience.counting.referrer_spam import SHIPPED, known, with_those


def test_what_ships_is_hosts_as_they_are_compared():
    assert len(SHIPPED) > 80
    assert all(re.fullmatch(r"(?!www\.)[a-z0-9-]+(\.[a-z0-9-]+)+", host) for host in SHIPPED)


def test_what_lies_under_a_host_is_that_host():
    assert known("semalt.com", SHIPPED) and known("13.semalt.com", SHIPPED)


def test_a_name_that_only_ends_alike_is_another():
    assert not known("notsemalt.com", SHIPPED) and not known("com", SHIPPED) and not known("", SHIPPED)


def test_the_operators_stand_beside_those_that_ship():
    listed = with_those(["WWW.Cheap-Clicks.example"])
    assert known("cheap-clicks.example", listed) and known("semalt.com", listed)

"""Addresses are read as peers, proxies and logs write them, and visitors stay apart."""

import pytest

from troth.core.networks import is_local_site, is_loopback, network_of, parse


@pytest.mark.parametrize(
    "written", ["192.0.2.7", "192.0.2.7:443", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]:443", "64:ff9b::192.0.2.7"]
)
def test_an_ipv4_address_is_one_however_it_is_wrapped(written):
    assert str(parse(written)) == "192.0.2.7"


def test_visitors_behind_a_translation_stay_apart():
    one, other = parse("64:ff9b::c000:207"), parse("64:ff9b::c000:208")
    assert one and other and network_of(one) != network_of(other)
    assert network_of(parse("2001:db8::1")) == network_of(parse("2001:db8::2"))


@pytest.mark.parametrize("written", ["", "unknown", "_hidden", "001.2.3.4", "1.2.3", "for=192.0.2.7", "example.com"])
def test_what_is_no_address_is_none(written):
    assert parse(written) is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_loopback_and_its_sites_are_local(host):
    assert is_loopback(host) and is_local_site(host)


@pytest.mark.parametrize("host", ["www.localhost", "a.b.localhost", "www.LOCALHOST."])
def test_a_name_under_localhost_is_a_local_site_only_in_a_browser(host):
    assert is_local_site(host) and not is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "192.0.2.1"])
def test_other_hosts_are_not_this_machine(host):
    assert not is_local_site(host) and not is_loopback(host)

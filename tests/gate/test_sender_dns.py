"""The sender's DNS records, as a name server on this machine gives them."""

import ipaddress

import msgspec
import pytest

from tests.gate.name_servers import names, serving, txt
from troth.core import clock
from troth.core.config.sections import Config, MailSection, RelaySection, SiteSection
from troth.core.site import Site
from troth.gate import dkim
from troth.gate.doors import Door, DoorError
from troth.gate.sender_dns import main, name_server, spf, stored
from troth.gate.sender_dns.examine import RecordCheck, SenderSetup, aligned, examine
from troth.gate.sender_dns.name_server import NotAnswered

DKIM_NAME = "troth._domainkey.example.com"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """Name and value of the record for a key of ours."""
    return _record(tmp_path_factory.mktemp("dkim") / "troth.pem")


def _record(path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private.private_bytes(*form))
    return dkim.dns_record(path, "troth", "example.com")


def setup(key, **changes):
    told = {"domain": "example.com", "relay": "mail.example.net", "site_host": "www.example.com", "dkim_record": key}
    return SenderSetup(**{**told, **changes})


def zone(key, **changes):
    """A zone in which all is well, with changes by kind; None removes the record."""
    value = key[1]
    records = {
        "SPF": ("example.com", "TXT", [txt("v=spf1 a:mail.example.net -all"), txt("another text")]),
        "DKIM": (key[0], "TXT", [txt(value[:200], value[200:])]),
        "DMARC": ("_dmarc.example.com", "TXT", [txt("v=DMARC1; p=reject")]),
        "A": ("mail.example.net", "A", ["192.0.2.7"]),
    }
    rows = {kind: changes.get(kind, rest) for kind, (*_, rest) in records.items()}
    zone = {records[kind][:2]: rest for kind, rest in rows.items() if rest is not None}
    return {**zone, **changes.get("more", {})}


def checked(key, *, of=None, **changes):
    with names(zone(key, **changes)) as (servers, _):
        return {check.kind: check for check in examine(of or setup(key), servers)}


# -- all three --------------------------------------------------------------------------------------------------------


def test_records_that_agree_are_all_well_and_their_strings_are_joined(key):
    checks = checked(key)
    assert [(kind, check.state) for kind, check in checks.items()] == [("SPF", "ok"), ("DKIM", "ok"), ("DMARC", "ok")]
    assert not any(check.record for check in checks.values())


def test_each_record_that_is_missing_is_printed_as_it_has_to_be_published(key):
    checks = checked(key, SPF=None, DKIM=None, DMARC=None)
    assert {check.state for check in checks.values()} == {"wrong"}
    assert checks["SPF"].record == 'example.com  TXT  "v=spf1 a:mail.example.net ~all"'
    assert checks["DKIM"].record == f'{key[0]}  TXT  "{key[1]}"'
    assert checks["DMARC"].record == '_dmarc.example.com  TXT  "v=DMARC1; p=none"'


@pytest.mark.parametrize("fault", ["servfail", "hangs up", "silent", "damaged", "other question"])
def test_a_name_server_that_does_not_answer_leaves_it_open(key, fault):
    with names(zone(key), timeout=0.2) as (servers, served):
        served.fault = fault
        assert {check.state for check in examine(setup(key), servers)} == {"unknown"}


def test_an_answer_that_comes_byte_by_byte_is_an_answer(key):
    with names(zone(key)) as (servers, served):
        served.fault = "slow"
        assert {check.state for check in examine(setup(key), servers)} == {"ok"}


def test_nobody_listening_leaves_it_open_and_the_next_server_is_asked(key):
    with serving(zone(key)) as (place, _):
        dead, alive = name_server.name_server("127.0.0.1:9"), name_server.name_server(place)
        assert name_server.NameServers([dead, alive]).texts("_dmarc.example.com") == ["v=DMARC1; p=reject"]
        with pytest.raises(NotAnswered, match="not reachable"):
            name_server.NameServers([dead]).texts("_dmarc.example.com")


def test_this_machines_name_servers_are_asked_three_at_most(tmp_path):
    file = tmp_path / "resolv.conf"
    servers = ["192.0.2.1", "fe80::1%eth0", "2001:db8::1", "192.0.2.2", "192.0.2.3"]
    file.write_text(
        "search example.com\n# nameserver 192.0.2.9\n" + "".join(f"nameserver {place}\n" for place in servers)
    )
    config = Config(site=SiteSection(name="Example", url="https://www.example.com"))
    places = [(door.host, door.port) for door in name_server.doors(config, file)]
    assert places == [("192.0.2.1", 53), ("2001:db8::1", 53), ("192.0.2.2", 53)]
    assert [door.host for door in name_server.doors(config, tmp_path / "none")] == ["127.0.0.1"]


def test_without_encryption_no_detail_may_pass(key):
    door = name_server.name_server("192.0.2.53")
    assert not door.categories
    fields = {name: getattr(door, name) for name in Door.__dataclass_fields__}
    with pytest.raises(DoorError, match="would carry details"):
        Door(**{**fields, "categories": frozenset({"email"})})


# -- DKIM -------------------------------------------------------------------------------------------------------------


def test_a_key_behind_an_alias_is_followed(key):
    more = {
        (key[0], "CNAME"): ["troth.dkim.example.net"],
        ("troth.dkim.example.net", "TXT"): [txt(key[1][:99], key[1][99:300], key[1][300:])],
    }
    assert checked(key, DKIM=None, more=more)["DKIM"].state == "ok"


@pytest.mark.parametrize(
    ("value", "state", "words"),
    [
        ("v=DKIM1; k=rsa; p=", "wrong", "revokes the key"),
        ("v=DKIM1; k=rsa; p=MIIB", "wrong", "another key"),
        ("v=DKIM2; p=MIIB", "wrong", "not valid"),
        ("nothing of DKIM", "wrong", "not valid"),
        ("v=DKIM1; h=sha1; p={key}", "wrong", "SHA-256"),
        ("v=DKIM1; s=other; p={key}", "wrong", "not for email"),
        ("v=DKIM1; t=y; p={key}", "warn", "test"),
        ("k=rsa; p= {key}", "ok", "matches"),
        ("p={key}; n=some words", "ok", "matches"),
    ],
)
def test_a_published_key_that_does_not_verify_our_signatures_is_told(key, value, state, words):
    value = value.format(key=key[1].partition("p=")[2])
    check = checked(key, DKIM=[txt(value[:200], value[200:])])["DKIM"]
    assert (check.state, words in check.what) == (state, True), check
    assert bool(check.record) == (state != "ok")


def test_two_keys_are_wrong_and_no_key_of_our_own_is_only_told(key):
    assert checked(key, DKIM=[txt("v=DKIM1; p="), txt(key[1][:200], key[1][200:])])["DKIM"].state == "wrong"
    checks = checked(key, of=setup(None))
    assert (checks["DKIM"].state, checks["DMARC"].state) == ("warn", "ok")


def test_another_key_than_ours_is_wrong(key, tmp_path):
    other = _record(tmp_path / "other.pem")[1]
    check = checked(key, DKIM=[txt(other[:200], other[200:])])["DKIM"]
    assert check.state == "wrong" and "another key" in check.what and check.value == key[1]


# -- DMARC ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=DMARC1; p=none"], "ok"),
        (["v=DMARC1;p=QUARANTINE;adkim=s"], "ok"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "wrong"),
        (["v=DMARC1; rua=mailto:x@example.com"], "wrong"),
        (["v=dmarc1; p=none"], "wrong"),
        (["some words"], "wrong"),
    ],
)
def test_one_valid_policy_is_needed(key, texts, state):
    assert checked(key, DMARC=[txt(text) for text in texts])["DMARC"].state == state


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        ("p=reject", "ok"),
        ("p=reject; adkim=s", "wrong"),
        ("p=quarantine; adkim=s", "wrong"),
        ("p=reject; sp=none; adkim=s", "warn"),
        ("p=none; adkim=s", "warn"),
    ],
)
def test_a_subdomain_goes_by_its_parents_policy_and_is_signed_for_by_it_unless_that_is_strict(key, policy, state):
    records = zone(key, DMARC=[txt(f"v=DMARC1; {policy}")], more={("news.example.com", "TXT"): [txt("v=spf1 ~all")]})
    with names(records) as (servers, _):
        checks = {check.kind: check for check in examine(setup(key, domain="news.example.com"), servers)}
    assert checks["DMARC"].state == state


def test_domains_are_aligned_where_one_is_below_the_other():
    assert aligned("news.example.com", "EXAMPLE.com") and aligned("example.com", "m.example.com")
    assert not aligned("example.com", "badexample.com") and not aligned("news.example.com", "example.com", strict=True)


# -- SPF --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "ok", "has an SPF record"),
        ("V=SPF1 include:spf.example.net ?all", "ok", ""),
        ("v=spf1 -all", "wrong", "no machine"),
        ("v=spf1", "warn", "does not name"),
        ("v=spf1 ip4:198.51.100.1 -all", "warn", "does not name the SMTP server"),
        ("v=spf1 ipv4:192.0.2.7 -all", "wrong", "`ipv4:192.0.2.7` is not valid"),
        ("v=spf1 ip4:192.0.2.700 -all", "wrong", "no valid address range"),
        ("v=spf1 a/33 -all", "wrong", "no valid address range"),
        ("v=spf1 redirect=spf.example.net redirect=spf.example.net", "wrong", "twice"),
        ("v=spf1 redirect=spf.example.net", "ok", ""),
        ("v=spf1 redirect=none.example.net", "warn", "without an SPF record"),
        ("v=spf1 include:none.example.net -all", "warn", "without an SPF record"),
        ("v=spf1 include:loop.example.net -all", "warn", "more than 10"),
        ("v=spf1 exists:%{i}.example.net mx ptr -all", "ok", ""),
        ("v=spf1 a:no1.example.net a:no2.example.net a:no3.example.net -all", "warn", "have no record"),
    ],
)
def test_what_an_spf_record_may_say(key, text, state, words):
    more = {
        ("spf.example.net", "TXT"): [txt("v=spf1 ip4:192.0.2.7 -all")],
        ("loop.example.net", "TXT"): [txt("v=spf1 include:loop.example.net -all")],
        ("example.com", "MX"): ["10 mail.example.net."],
    }
    # `a:no…` has neither kind of record. What the relay sends from, the first match says: so none matches before.
    check = checked(key, SPF=[txt(text)], more=more)["SPF"]
    assert (check.state, words in check.what) == (state, True), check


def test_two_records_are_none_and_become_one(key):
    check = checked(key, SPF=[txt("v=spf1 include:a.example.net ~all"), txt("v=spf1 ip4:192.0.2.7 -all")])["SPF"]
    assert check.state == "wrong" and "2 SPF records" in check.what
    assert check.value == "v=spf1 include:a.example.net ip4:192.0.2.7 a:mail.example.net ~all"


def test_a_relay_that_is_not_named_is_put_into_the_record_before_its_end(key):
    check = checked(key, SPF=[txt("v=spf1 ip4:198.51.100.1 -all")])["SPF"]
    assert check.value == "v=spf1 ip4:198.51.100.1 a:mail.example.net -all"
    here = checked(key, of=setup(key, relay="localhost"), SPF=None)["SPF"]
    assert here.value == "v=spf1 a:www.example.com ~all"
    address = checked(key, of=setup(key, relay="198.51.100.9"), SPF=None)["SPF"]
    assert address.value == "v=spf1 ip4:198.51.100.9 ~all"


def several(key, spf_text, more=None):
    """The checks of SPF where `two.example.org` and `198.51.100.9` may send, too."""
    further = setup(key, further=("two.example.org", "198.51.100.9"))
    records = zone(key, SPF=[txt(spf_text)], more={("two.example.org", "A"): ["198.51.100.7"], **(more or {})})
    with names(records) as (servers, _):
        return [check for check in examine(further, servers) if check.kind == "SPF"]


def test_each_relay_that_may_send_has_to_be_named(key):
    checks = several(key, "v=spf1 a:mail.example.net ip4:198.51.100.9 -all")
    assert [check.state for check in checks] == ["ok", "warn", "ok"]
    assert "does not name the SMTP server two.example.org" in checks[1].what
    assert checks[1].value == "v=spf1 a:mail.example.net ip4:198.51.100.9 a:two.example.org -all"
    checks = several(key, checks[1].value)
    assert [check.state for check in checks] == ["ok", "ok", "ok"] and "names two.example.org" in checks[1].what
    assert several(key, "v=spf1 -all")[0].value.endswith("a:mail.example.net a:two.example.org ip4:198.51.100.9 ~all")


def test_what_cannot_be_known_of_several_relays_is_said_and_none_is_called_allowed(key):
    included = {("spf.example.net", "TXT"): [txt("v=spf1 ip4:192.0.2.0/24 -all")]}
    checks = several(key, "v=spf1 include:spf.example.net -all", included)
    assert [check.state for check in checks] == ["ok", "unknown", "unknown"]
    assert "no address of that name is in it" in checks[1].what and "`include:`" in checks[1].mend
    checks = several(key, "v=spf1 a:mail.example.net ip4:198.51.100.9 -all", {("two.example.org", "A"): []})
    assert checks[1].state == "unknown" and "two.example.org is not known: that name has no address" in checks[1].what
    here = setup(key, further=("localhost",))
    with names(zone(key)) as (servers, _):
        check = examine(here, servers)[-1]
    assert check.state == "unknown" and "public address of this machine" in check.what
    alone = checked(key, SPF=[txt("v=spf1 include:spf.example.net -all")], more={
        ("spf.example.net", "TXT"): [txt("v=spf1 ip4:203.0.113.0/28 -all")]
    })["SPF"]  # fmt: skip
    assert alone.state == "ok" and "is not known" in alone.what


def test_a_record_that_does_not_count_is_said_once_for_all_relays(key):
    for text in ("v=spf1 -all", "v=spf1 ipv4:192.0.2.7 -all", "no SPF"):
        checks = several(key, text)
        assert [check.state for check in checks] == ["wrong"], text


def test_the_settings_name_every_relay(key):
    config = Config(
        site=SiteSection(name="Example", url="https://www.example.com"),
        mail=MailSection(sender="news@example.com", relay="smtps://mail.example.net"),
        relay=(RelaySection(name="second", address="smtps://user@two.example.org"),),
    )
    of = SenderSetup.of(config, key)
    assert (of.relay, of.further) == ("mail.example.net", ("two.example.org",))


def test_an_address_passes_or_fails_as_the_rfc_says():
    records = {
        ("example.com", "TXT"): [
            txt("v=spf1 mx/30 ~ip6:2001:db8::/32 include:in.example.net redirect=end.example.net")
        ],
        ("example.com", "MX"): ["10 mx.example.com."],
        ("mx.example.com", "A"): ["192.0.2.4"],
        ("in.example.net", "TXT"): [txt("v=spf1 -ip4:198.51.100.1 ip4:198.51.100.0/24 -all")],
        ("end.example.net", "TXT"): [txt("v=spf1 ?ip4:203.0.113.9 -all")],
    }
    found = {}
    with names(records) as (servers, _):
        for address in ("192.0.2.7", "192.0.2.8", "2001:db8::5", "198.51.100.2", "198.51.100.1", "203.0.113.9"):
            found[address] = spf.check("example.com", ipaddress.ip_address(address), servers)
        assert spf.check("none.example.com", ipaddress.ip_address("192.0.2.7"), servers) == "none"
    assert found == {
        "192.0.2.7": "pass", "192.0.2.8": "fail", "2001:db8::5": "softfail",
        "198.51.100.2": "pass", "198.51.100.1": "fail", "203.0.113.9": "neutral",
    }  # fmt: skip


def test_each_question_is_asked_once(key):
    with names(zone(key)) as (servers, served):
        examine(setup(key), servers)
        assert len(served.asked) == len(set(served.asked))


# -- stored -----------------------------------------------------------------------------------------------------------


def test_what_was_found_counts_for_the_same_settings_and_some_days(tmp_path, monkeypatch):
    site = Site(tmp_path)
    site.sender_dns.mkdir(parents=True)
    config = Config(site=SiteSection(name="Example", url="https://www.example.com"))
    stored.write(site, config, [RecordCheck("SPF", "wrong", "There is none.", "Publish it.", "example.com", "v=spf1")])
    found = stored.read(site, config)
    assert found is not None and found.checks[0].record == 'example.com  TXT  "v=spf1"'
    other = msgspec.structs.replace(config, mail=MailSection(sender="news@example.org"))
    off = msgspec.structs.replace(config, mail=MailSection(check_dns=False))
    local = msgspec.structs.replace(config, site=SiteSection(name="Example", url="http://localhost:8080"))
    assert stored.read(site, other) is stored.read(site, off) is stored.read(site, local) is None
    monkeypatch.setattr(clock, "now", lambda: found.at + stored._COUNTS_FOR)
    assert stored.read(site, config) is None
    (site.sender_dns / "records.json").write_text("{")
    assert stored.read(site, config) is None


def test_the_records_of_a_site_are_looked_up_with_its_own_key(key, tmp_path):
    site = Site(tmp_path)
    site.dkim_keys.mkdir(parents=True)
    own = _record(site.dkim_keys / "troth.pem")
    records = zone(own)
    with serving(records) as (place, _):
        mail = MailSection(sender="news@example.com", relay="smtps://mail.example.net", dns_server=place)
        config = Config(site=SiteSection(name="Example", url="https://www.example.com"), mail=mail)
        assert [check.state for check in main.look_up(site, config)] == ["ok", "ok", "ok"]

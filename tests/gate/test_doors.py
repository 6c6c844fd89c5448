"""Doors: declared by the settings, encrypted off this machine, or not there."""

import pytest

from troth.core.config.sections import Config, DatabaseSection, MailSection, RelaySection, ShopSection, SiteSection
from troth.core.purpose import Category, Purpose
from troth.gate.doors import Door, DoorError, database, declared, for_office, mail_relay, named, relay_user
from troth.policy import data_map
from troth.supervisor import ports


def door(relay):
    return mail_relay(MailSection(relay=relay))


@pytest.mark.parametrize(
    ("relay", "host", "port", "encryption"),
    [
        ("smtp://localhost:25", "localhost", 25, "none-loopback"),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, "none-loopback"),
        ("smtp://[::1]:25", "::1", 25, "none-loopback"),
        ("smtp://localhost", "localhost", 25, "none-loopback"),
        ("smtp://user@mail.example.com:587", "mail.example.com", 587, "starttls"),
        ("smtp://192.0.2.7:25", "192.0.2.7", 25, "starttls"),
        ("smtp://mail.example.com", "mail.example.com", 587, "starttls"),
        ("smtps://user%40example.com@mail.example.com", "mail.example.com", 465, "tls"),
        ("smtps://localhost:465", "localhost", 465, "tls"),
        ("smtp://localhost.example.com:25", "localhost.example.com", 25, "starttls"),
        ("smtp://127.0.0.1.example.com:25", "127.0.0.1.example.com", 25, "starttls"),
    ],
)
def test_the_relay_s_door(relay, host, port, encryption):
    found = door(relay)
    assert (found.host, found.port, found.encryption) == (host, port, encryption)
    assert found.purpose is Purpose.ADMINISTRATION and found.categories == {Category.EMAIL}


@pytest.mark.parametrize(
    "relay",
    [
        *("", "localhost:25", "http://localhost:25", "smtp://", "smtp://localhost:port", "smtp://localhost:99999"),
        *("smtp://localhost:25/queue", "smtp://localhost?tls=no", "smtp://user:secret@mail.example.com:587"),
    ],
)
def test_a_relay_that_is_none_is_refused_with_the_mend(relay):
    with pytest.raises(DoorError) as refusal:
        door(relay)
    assert refusal.value.mend and "[mail]" in str(refusal.value) and "secret" not in str(refusal.value)


def test_the_name_to_sign_in_with_is_unquoted():
    assert relay_user("smtps://troth%40example.com@mail.example.com") == "troth@example.com"
    assert relay_user("smtp://localhost:25") is None


def test_a_plain_door_off_this_machine_cannot_be_made():
    with pytest.raises(DoorError, match="without encryption") as refusal:
        Door("x", "x", Purpose.ADMINISTRATION, frozenset(), "mail.example.com", 25, "none-loopback")
    assert "STARTTLS" in refusal.value.mend


@pytest.mark.parametrize(
    ("url", "host", "port", "encryption"),
    [
        ("postgresql://troth@localhost:5433/troth", "localhost", 5433, "none-loopback"),
        ("postgresql:///troth?host=/run/postgresql", "/run/postgresql", 5432, "none-loopback"),
        ("postgresql://%2Frun%2Fpg:5433/troth", "/run/pg", 5433, "none-loopback"),
        ("postgresql://db.example.com/troth?sslmode=verify-full", "db.example.com", 5432, "tls"),
    ],
)
def test_the_database_s_door(url, host, port, encryption):
    found = database(DatabaseSection(url=url))
    assert found is not None and (found.host, found.port, found.encryption) == (host, port, encryption)


@pytest.mark.parametrize("end", ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require"])
def test_a_far_database_without_a_verified_connection_is_refused(end):
    with pytest.raises(DoorError) as refusal:
        database(DatabaseSection(url=f"postgresql://troth@db.example.com/troth{end}"))
    assert "verify-full" in refusal.value.mend


def test_sqlite_needs_no_door():
    assert database(DatabaseSection()) is None


def test_the_worker_s_and_the_office_s_doors():
    config = Config(
        site=SiteSection(name="Example", url="https://www.example.com/troth"),
        database=DatabaseSection(url="postgresql://troth@localhost/troth"),
    )
    assert [door.name for door in declared(config)] == ["mail-relay", "database"]
    assert [door.name for door in for_office(config)] == ["database"]


def test_a_shop_has_one_door_more_which_the_policy_names_and_the_fence_lets_through():
    site = SiteSection(name="Example", url="https://www.example.com")
    assert [door.name for door in declared(Config(site=site, shop=ShopSection()))] == ["mail-relay"]
    config = Config(site=site, shop=ShopSection(enabled=True))
    assert [(door.name, door.host, door.port, door.encryption) for door in declared(config)][1:] == [
        ("card-company", "api.stripe.com", 443, "tls")
    ]
    assert 443 in ports.of_worker(config) and 443 not in ports.of_worker(Config(site=site))
    assert [row for row in data_map.receivers(config) if "card company" in row[0]] == [
        (
            "the card company api.stripe.com",
            "taking your payment",
            "what you enter on its own pages: card, name, addresses; and what you bought",
        )
    ]
    assert for_office(config) == ()


def test_a_door_that_is_not_declared_is_an_error_that_says_where_to_declare_it():
    with pytest.raises(DoorError) as refusal:
        named([], "analytics")
    assert "doors.py" in refusal.value.mend


def test_each_relay_is_a_door_and_its_port_is_in_the_fence():
    site = SiteSection(name="Example Software", url="https://www.example.com")
    relays = (
        RelaySection(name="second", address="smtps://two.example.com"),
        RelaySection(name="third", address="smtp://three.example.com:2525"),
    )
    config = Config(site=site, mail=MailSection(relay="smtp://localhost:25"), relay=relays)
    doors = declared(config)
    assert [(door.name, door.host, door.port, door.encryption) for door in doors] == [
        ("mail-relay", "localhost", 25, "none-loopback"),
        ("mail-relay-second", "two.example.com", 465, "tls"),
        ("mail-relay-third", "three.example.com", 2525, "starttls"),
    ]
    assert all(door.carries_mail and door.categories == {Category.EMAIL} for door in doors)
    assert {door.port for door in doors} <= set(ports.of_worker(config))
    assert [receiver for receiver, _, _ in data_map.receivers(config)][1:3] == [
        "the mail relay two.example.com",
        "the mail relay three.example.com",
    ]
    assert for_office(config) == ()

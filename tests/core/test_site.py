"""Every path of a site lies where docs/data.md says, inside its folder, and looking makes nothing."""

from pathlib import Path

from troth.core.site import Site

PLACES = {
    "config": "troth.toml",
    "policy": "policy.md",
    "policy_copy": "data/policy-copy.md",
    "keys": "keys",
    "seal_keys": "keys/seal",
    "sign_keys": "keys/sign",
    "licence_keys": "keys/licence",
    "dkim_keys": "keys/dkim",
    "people_keys": "keys/people",
    "office_keys": "keys/office",
    "sent": "keys/sent",
    "recovery_key": "keys/recovery.pub",
    "restoring": "restoring",
    "mail_password": "keys/mail-password",
    "card_company_key": "keys/card-company-key",
    "card_company_secrets": "keys/card-company-secrets",
    "card_company_path": "keys/card-company-path",
    "database_password": "keys/database-password",
    "site_id": "keys/site-id",
    "data": "data",
    "aside": "data/aside",
    "sender_dns": "data/sender-dns",
    "database": "data/troth.sqlite3",
    "spool": "spool",
    "public": "public",
    "asks": "asks",
    "offers": "offers",
}


def test_everything_lies_where_it_is_said_to(tmp_path):
    site = Site(tmp_path)
    properties = {name for name, value in vars(Site).items() if isinstance(value, property)}
    assert properties == PLACES.keys()
    for name, place in PLACES.items():
        assert getattr(site, name) == tmp_path / place


def test_looking_makes_nothing(tmp_path):
    root = tmp_path / "none"
    for name in PLACES:
        getattr(Site(root), name)
    assert not root.exists()


def test_a_site_is_its_folder():
    assert Site(Path("a")) == Site(Path("a")) != Site(Path("b"))

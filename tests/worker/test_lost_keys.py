"""A key file that is lost or wrong when the house starts: it says which, and how to mend it, and makes none anew."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker import served
from troth.core import clock
from troth.core.epochs import epoch_of
from troth.core.site import Site
from troth.vault.key_store import KeyStore


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, str]:
    """A site that has served once and has somebody filed."""
    site, front = served.make(tmp_path_factory.mktemp("house") / "site")
    with served.serving(site, front) as house:
        assert house.sign_up("ada@example.com") == 303
        house.until(lambda told: told["people"] == 1)
    return site, front


def other_store(path: Path) -> None:
    path.unlink()
    KeyStore.create(path.parent)


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def nonsense(path: Path) -> None:
    path.write_bytes(b"this is not what it was")


CASES: list[tuple[str, Callable[[Path], None], str]] = [
    ("keys/people/slots", remove, "keys/people/slots"),
    ("keys/people/slots", nonsense, "keys/people/slots"),
    ("keys/people/slots", other_store, "do not belong together"),
    ("keys/people/index-administration.key", remove, "index-administration.key"),
    ("keys/people/index-administration.key", cut, "index-administration.key"),
    ("keys/site-id", remove, "keys/site-id"),
    ("keys/site-id", nonsense, "keys/site-id"),
    ("keys/sign/1.key", remove, "keys/sign"),
    ("keys/sign/1.key", cut, "keys/sign"),
    ("keys/dkim/troth.pem", nonsense, "dkim"),
]


@pytest.mark.parametrize(("name", "harm", "named"), CASES, ids=[f"{name} {harm.__name__}" for name, harm, _ in CASES])
def test_a_lost_or_wrong_key_stops_the_house_with_a_mend(
    template: tuple[Site, str], name: str, harm: Callable[[Path], None], named: str
) -> None:
    site, _ = template
    path = site.root / name
    before = path.read_bytes()
    harm(path)
    harmed = path.read_bytes() if path.exists() else None
    try:
        said = served.refused(site)
        assert named in said, said
        assert any(word in said for word in ("backup", "Put ", "Restore", "Make ")), said
        assert (path.read_bytes() if path.exists() else None) == harmed, "it was made anew"
        looked = served.troth("doctor", "--json", "--site", str(site.root), check=False)
        assert looked.returncode == 1 and looked.stdout.startswith("["), looked
        found = json.loads(looked.stdout)
        assert any(one["level"] == "bad" for one in found), found
    finally:
        path.write_bytes(before)


def test_put_back_everything_is_there_again(template: tuple[Site, str]) -> None:
    site, front = template
    with served.serving(site, front) as house:
        assert house.sign_up("bob@example.com") == 303
        house.until(lambda told: told["people"] == 2)


@pytest.mark.parametrize("harm", [remove, cut, nonsense])
def test_the_sealing_key_in_use_is_never_made_anew(template: tuple[Site, str], harm: Callable[[Path], None]) -> None:
    site, _ = template
    path = site.seal_keys / f"{epoch_of(clock.now())}.key"
    before = path.read_bytes()
    harm(path)
    harmed = path.read_bytes() if path.exists() else None
    try:
        said = served.refused(site)
        assert f"keys/seal/{path.name}" in said and "backup" in said
        assert (path.read_bytes() if path.exists() else None) == harmed, "it was made anew"
    finally:
        path.write_bytes(before)

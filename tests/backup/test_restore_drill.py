"""The drill: a site is served, backed up, goes on, is lost and restored; nothing goes twice, nobody erased returns."""

import shutil

import pytest

from tests.backup.drill import House, MailCompany

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])


@pytest.fixture
def url(database, request):
    if database == "sqlite":
        return ""
    server, template = map(request.getfixturevalue, ("postgres_server", "postgresql_template"))
    server.execute("DROP DATABASE IF EXISTS drill WITH (FORCE)", f"CREATE DATABASE drill TEMPLATE {template}")
    return server.at("drill")


@pytest.fixture
def company():
    with MailCompany() as made:
        yield made


@pytest.fixture
def house(tmp_path, company, url):
    made = House(tmp_path, company, url)
    yield made
    made.stop()


def live_until_lost(house, company, folder):
    """Sign up, confirm, back up, go on, erase, leave, send; returns the older data and the newest keys."""
    house.serve()
    for name in ("ada", "bob", "eve"):
        house.sign_up(f"{name}@example.com", f"{name.title()} Example")
    for name in ("ada", "bob", "eve"):
        house.follow(company.wait(f"{name}@example.com"), "confirm")
    company.refuses = True
    house.sign_up("cyd@example.com", "Cyd Example")
    house.inside(
        "import time\nwhile not Delivery.objects.filter(attempts=1, state='queued').exists(): time.sleep(0.05)"
    )
    (data, _) = house.backup(folder)
    company.refuses = False
    house.inside("Delivery.objects.filter(state='queued').update(next_at=clock.now())")
    company.wait("cyd@example.com")
    house.follow(company.to("eve@example.com")[0], "unsubscribe")
    house.sign_up("dora@example.com", "Dora Example")
    company.wait("dora@example.com")
    house.inside(
        "import time\nwhile Delivery.objects.exclude(state='sent').exists(): time.sleep(0.05)\n"
        "while Subscription.objects.filter(state='left').count() < 1: time.sleep(0.05)"
    )
    house.erase("bob@example.com")
    (_, keys) = house.backup(folder.with_name("later"))
    house.stop()
    return data, keys


STANDING = """
tell({
    "found": [name for name in ("ada", "bob", "cyd", "dora", "eve") if who(name + "@example.com")],
    "states": {str(one.person_id): one.state for one in Subscription.objects.all()},
    "ada": str(who("ada@example.com")), "eve": str(who("eve@example.com")),
    "mails": sorted(Delivery.objects.values_list("state", flat=True)),
})
"""


COUNTED = """
from django.db.models import Count
from troth.gate import outbox
from troth.vault import row_counts
def counted(model): return dict(model.objects.values_list("state").annotate(n=Count("id")).values_list("state", "n"))
def told(counts): return {state: count for state, count in counts.items() if count}
tell(row_counts.count("person") == Person.objects.count()
     and told(row_counts.counts("subscription")) == counted(Subscription)
     and told(outbox.counts()) == counted(Delivery))
"""


@both
def test_a_restored_site_sends_nothing_again_and_nobody_erased_returns(house, company, tmp_path):
    data, keys = live_until_lost(house, company, tmp_path / "first")
    before = len(company.mails)
    told = house.restore(data, keys, options=["--replace"])
    assert told["erased_again"] == 1 and told["left_out"] == 0 and told["own_store"]
    # Dora came and Eve left after the backup. What the spool still had of it is filed again, as the same mails.
    assert told["people"] + told["lost"] == 4 and told["left_again"] + told["filed"] >= 1, told
    assert house.inside(COUNTED), "the kept counts are not what the restored tables hold"
    house.serve()
    house.sign_up("fay@example.com", "Fay Example")
    company.wait("fay@example.com")
    assert company.twice == set()
    assert len(company.mails) == before + 1, [who for who, _, _ in company.mails[before:]]
    now = house.inside(STANDING)
    assert now["found"][:2] == ["ada", "cyd"] and "bob" not in now["found"] and "eve" in now["found"]
    assert now["states"][now["ada"]] == "confirmed" and now["states"][now["eve"]] == "left"
    assert set(now["mails"]) == {"sent"}
    house.follow(company.to("cyd@example.com")[0], "confirm")
    house.inside("import time\nwhile Subscription.objects.filter(state='confirmed').count() < 2: time.sleep(0.05)")


@both
def test_restored_elsewhere_what_may_have_gone_is_held(house, company, tmp_path, database):
    data, keys = live_until_lost(house, company, tmp_path / "first")
    before = len(company.mails)
    shutil.move(house.root, tmp_path / "burnt")
    if house.database:
        assert "already has records" in house.restore(data, keys, code=1)
    told = house.restore(data, keys, options=["--replace"] if house.database else [])
    assert told["erased_again"] == 1 and told["left_again"] == 1 and told["mails"] == {"sent": 1}, told
    house.serve()
    house.sign_up("fay@example.com", "Fay Example")
    company.wait("fay@example.com")
    assert len(company.mails) == before + 1 and company.twice == set()
    assert house.inside(STANDING)["found"] == ["ada", "cyd", "eve"]


@both
def test_with_the_keys_of_the_same_hour_the_queue_is_held_for_an_owner(house, company, tmp_path):
    live_until_lost(house, company, tmp_path / "first")
    before = len(company.mails)
    shutil.move(house.root, tmp_path / "burnt")
    told = house.restore(tmp_path / "first", options=["--replace"] if house.database else [])
    assert told["mails"] == {"held": 1} and told["erased_again"] == 0, told  # these keys do not know of it
    assert not told["own_store"]
    house.serve()
    house.sign_up("fay@example.com", "Fay Example")
    company.wait("fay@example.com")
    assert len(company.mails) == before + 1 and company.twice == set()

"""`troth clock`: says whether the clock is believed, and takes an operator's word; no backup goes meanwhile."""

import json
from datetime import timedelta

from tests.cli.running import troth
from troth import doctor, scaffold
from troth.backup import recovery, take
from troth.ground import clock, leaps
from troth.ground.site import Site


def test_a_leap_is_shown_and_accepted(tmp_path):
    site = Site(scaffold.init(tmp_path / "site").root)
    where = ("--site", str(site.root))
    assert troth("clock", "show", *where).returncode == 0
    then = leaps.here()
    leaps.write(site.data, leaps.Seen(leaps.Moment(then.at - 400 * 86_400, then.boot, then.up)))
    shown = troth("clock", "show", "--json", *where)
    assert shown.returncode == 1 and not json.loads(shown.stdout)["believed"]
    (finding,) = [one for one in doctor.examine(site.root) if "The clock leapt" in one.what]
    assert "troth clock accept" in finding.mend
    assert "believed" in troth("clock", "accept", *where).stdout
    assert troth("clock", "show", *where).returncode == 0


def test_no_backup_is_removed_by_a_clock_that_leapt(tmp_path):
    site = Site(scaffold.init(tmp_path / "site").root)
    assert troth("status", "--site", str(site.root)).returncode == 0
    recovery.replace(site)
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    first = take.backup(site.root, folder).files
    leaps.accept(site.data)
    with clock.hold(clock.now() + timedelta(days=400)):
        taken = take.backup(site.root, folder)
        assert "The clock leapt" in taken.doubted and taken.expired == []
        assert all(path.exists() for path in first)
        leaps.accept(site.data)
        assert take.backup(site.root, folder).expired
    assert not any(path.exists() for path in first)

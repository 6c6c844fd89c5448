"""`troth clock`: says whether the clock is believed, and takes an operator's word; no backup goes meanwhile."""

import json
from datetime import timedelta

from tests.cli.running import troth
from troth.backup import create, recovery_key
from troth.core import clock, clock_jumps
from troth.core.site import Site
from troth.operate import create_site
from troth.operate.doctor import examine


def test_a_leap_is_shown_and_accepted(tmp_path):
    site = Site(create_site.init(tmp_path / "site").root)
    where = ("--site", str(site.root))
    assert troth("clock", "show", *where).returncode == 0
    then = clock_jumps.here()
    clock_jumps.write(
        site.data, clock_jumps.ClockRecord(clock_jumps.Moment(then.at - 400 * 86_400, then.boot, then.up))
    )
    shown = troth("clock", "show", "--json", *where)
    assert shown.returncode == 1 and not json.loads(shown.stdout)["believed"]
    (finding,) = [one for one in examine.examine(site.root) if "The clock jumped" in one.what]
    assert "troth clock accept" in finding.mend
    assert "trusted" in troth("clock", "accept", *where).stdout
    assert troth("clock", "show", *where).returncode == 0


def test_no_backup_is_removed_by_a_clock_that_leapt(tmp_path):
    site = Site(create_site.init(tmp_path / "site").root)
    assert troth("status", "--site", str(site.root)).returncode == 0
    recovery_key.replace(site)
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    first = create.backup(site.root, folder).files
    clock_jumps.accept(site.data)
    with clock.hold(clock.now() + timedelta(days=400)):
        taken = create.backup(site.root, folder)
        assert "The clock jumped" in taken.doubted and taken.expired == []
        assert all(path.exists() for path in first)
        clock_jumps.accept(site.data)
        assert create.backup(site.root, folder).expired
    assert not any(path.exists() for path in first)

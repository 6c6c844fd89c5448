"""systemd's units, as systemd itself judges them."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from troth.cli.app import app
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.operate import create_site, systemd


@pytest.fixture
def made(tmp_path):
    create_site.init(tmp_path / "a site", name="Example 100% Software")
    return tmp_path / "a site"


def units(made, **sections):
    return systemd.units(made, load_config(Site(made).config, {}), **sections)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_to_complain_of(tmp_path, made):
    (tmp_path / "units").mkdir()
    command = tmp_path / "troth"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    paths = systemd.write(tmp_path / "units", units(made, troth=command))
    verified = [str(path) for path in paths if path.suffix in {".service", ".timer"}]
    done = subprocess.run(["systemd-analyze", "verify", *verified], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_is_hardened_and_says_when_it_is_ready(made):
    service = units(made)["troth.service"]
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "Type=notify", "LimitCORE=0", "MemorySwapMax=0"):
        assert line in service
    assert f'--site "{made}"' in service and f'ReadWritePaths="{made}"' in service
    assert "Example 100%% Software" in service


def test_what_the_service_may_not_do_is_done_before_it_with_what_it_takes(made):
    service = units(made)["troth.service"]
    assert "ExecStartPre=+" in service and f'serve --prepare --site "{made}"\nExecStart=' in service
    assert "RestrictSUIDSGID=yes" in service and "CAP_FSETID" not in service
    assert "\nProtectProc=" not in service and "ProtectProc=" in units(made)["troth-backup.service"]


def test_the_log_ends(made):
    assert "MaxRetentionSec" in units(made)["journald@troth.conf"]
    assert "LogNamespace=troth" in units(made)["troth.service"]


def test_a_database_of_its_own_is_waited_for(made):
    with_database = load_config(Site(made).config, {"TROTH_DATABASE__URL": "postgresql://troth@127.0.0.1/troth"})
    assert "postgresql.service" in systemd.units(made, with_database)["troth.service"]
    assert "postgresql.service" not in units(made)["troth.service"]


def test_a_folder_that_no_unit_can_carry_is_refused(tmp_path):
    create_site.init(tmp_path / 'a "site"')
    with pytest.raises(TrothError, match="cannot contain"):
        units(tmp_path / 'a "site"')


def test_it_prints_or_writes(tmp_path, made):
    printed = CliRunner().invoke(app, ["systemd", "--site", str(made)])
    assert printed.exit_code == 0 and "ExecStart=" in printed.output
    (tmp_path / "out").mkdir()
    assert CliRunner().invoke(app, ["systemd", str(tmp_path / "out"), "--site", str(made)]).exit_code == 0
    assert (tmp_path / "out" / "troth-backup.timer").exists()


def test_it_says_what_root_types_next(tmp_path, made):
    there = tmp_path / "backups"
    settings = load_config(Site(made).config, {"TROTH_BACKUP__FOLDER": str(there)})
    steps = systemd.steps(Path("/etc/systemd/system"), settings)
    assert steps[0] == "mv /etc/systemd/system/journald@troth.conf /etc/systemd/"
    assert f"mkdir -p -m 700 {there}" in steps and steps[-1].endswith("troth.service troth-backup.timer")
    there.mkdir()
    assert not any("mkdir" in step for step in systemd.steps(Path("/etc/systemd/system"), settings))
    assert f"cp {tmp_path}/troth* /etc/systemd/system/" in systemd.steps(tmp_path, settings)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TrothError, match="not a folder"):
        systemd.write(tmp_path / "nowhere", {})

"""`troth retained`: what the law requires is shown by its number, although its person is deleted, and kept longer."""

import json
import os

from tests import forked
from tests.rights.test_receipt_command import root, troth  # noqa: F401 - a fixture

_SOLD_AND_ERASED = """
import sys
from pathlib import Path
from troth.operate import site_session
site_session.in_site(Path(sys.argv[1]))
from tests.vault.law import TILL, sold
from troth.core.personal import EmailAddress, PersonName
from troth.core.rooms import rooms
from troth.vault import legal_holds
from troth.vault.keeper import keeper
from troth.vault.records import Details
everything = (*rooms(), TILL)
legal_holds.rooms = lambda: everything
address = EmailAddress("wilma.oddsworth@example.com")
person = keeper().find("test", address)
sold(person, Details(address, PersonName("Wilma Oddsworth")), "2026-0001")
keeper().erase([person])
"""


def test_it_is_shown_by_its_number_and_kept_longer_and_never_shorter(root):  # noqa: F811
    done = forked.run(_SOLD_AND_ERASED, root, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert troth("people", "find", "wilma.oddsworth@example.com", "--site", root).returncode == 1
    shown = troth("retained", "show", "2026-0001", "--site", root)
    assert shown.returncode == 0 and "One lamp" in shown.stdout and "2036-12-31" in shown.stdout, shown.stderr
    assert "wilma.oddsworth@example.com" in shown.stdout
    shorter = troth("retained", "keep", "2026-0001", "--until", "2030-01-01", "--site", root)
    assert shorter.returncode == 1 and "never shorter" in shorter.stderr and "Traceback" not in shorter.stderr
    longer = troth("retained", "keep", "2026-0001", "--until", "2040-12-31", "--site", root)
    assert longer.returncode == 0 and "kept until 2040-12-31" in longer.stdout, longer.stderr
    (part,) = json.loads(troth("retained", "show", "2026-0001", "--json", "--site", root).stdout)["parts"]
    assert part["items"][0]["kept_until"] == "2040-12-31"


def test_an_unknown_number_and_an_address_find_nothing(root):  # noqa: F811
    for number in ("2026-0002", "wilma.oddsworth@example.com"):
        done = troth("retained", "show", number, "--site", root)
        assert done.returncode == 1 and "No record" in done.stderr and done.stdout == ""
    assert troth("retained", "keep", "2026-0002", "--until", "2040-12-31", "--site", root).returncode == 1

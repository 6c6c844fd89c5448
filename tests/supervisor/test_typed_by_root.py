"""Every command of the guide, typed by root on a site with users of its own: it works, and leaves nothing of root's."""

import json
import subprocess
import sys
from pathlib import Path

from troth.core.site import Site
from troth.operate import create_site
from troth.operate.doctor import permissions

ROOT = Path(__file__).parents[2]


COMMANDS = [
    ["status"],
    ["operator", "add", "A. Operator", "operator@example.com"],
    ["operator", "link", "operator@example.com"],
    ["operator", "list"],
    ["policy", "check"],
    ["policy", "publish", "--said", "At first."],
    ["policy", "versions"],
    ["policy", "show"],
    ["people", "find", "ada@example.com"],
    ["people", "import", "{folder}/people.csv", "--consent", "Yes, send it.", "--consent-date", "2024-05-01"],
    ["people", "list", "--export", "{folder}/list.csv.new"],
    ["people", "export", "ada@example.com", "--json"],
    ["audience", "pages", "{folder}/pages.txt"],
    ["audience", "token", "add", "spreadsheet"],
    ["audience", "token", "list"],
    ["failed", "list"],
    ["failed", "retry"],
    ["held", "list"],
    ["retention"],
    ["people", "delete", "ada@example.com", "--yes"],
]


def typed(site, commands):
    """What came of them, each typed by root under a tight umask."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.supervisor.typed_by_root", str(site.root)],
        input=json.dumps(commands),
        cwd=ROOT,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_command_works_and_leaves_nothing_of_roots(people, within_reach):
    site = Site(create_site.init(within_reach / "site").root)
    closed = within_reach / "roots-home"
    closed.mkdir(mode=0o700)
    (closed / "people.csv").write_text("email,name\nada@example.com,Ada Example\nbob@example.com,Bob Example\n")
    (closed / "pages.txt").write_text("http://localhost/\nhttp://localhost/a\n")
    told = typed(site, [[word.format(folder=closed) for word in words] for words in COMMANDS])
    twice = ("OperatorError", "TokenError")  # they were typed before the site was settled, too
    failed = [one for one in told if one["code"] and not one["why"].startswith(twice)]
    assert not failed, failed
    assert {one["user"] for one in told} == {people["worker"].ident}
    exported = closed / "list.csv.new"
    assert exported.stat().st_uid == 0 and "bob@example.com" in exported.read_text()
    assert list(permissions.strangers(site, people)) == []

"""Who may import whom, by import-linter, and that it says which promise is at risk where somebody does."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT, SRC, called, calls, modules, room, tree

_NETWORK = {"urllib.request", "http.client", "smtplib", "ftplib", "poplib", "imaplib", "xmlrpc.client", "ssl"}

_MAY_CONNECT = {
    "gate": "the one gate",
    "demo": "no part of a real site",
}
_LISTENERS = SRC / "operate" / "doctor" / "listeners.py"
"""Asks the site itself whether it answers, in a process of its own that opens no person."""


def _may_connect(path: Path) -> bool:
    return room(path) in _MAY_CONNECT or path == _LISTENERS


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the `troth` in `folder`."""
    program = (
        f"import sys; sys.path.insert(0, {str(folder / 'src')!r}); "
        "from importlinter.cli import lint_imports_command as run; run()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", str(folder / ".importlinter")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
    )


def test_all_contracts_are_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "at_risk"),
    [
        ("front/app.py", "import django", "WALL 1 (promise C3"),
        ("front/responses.py", "from troth.vault import keeper", "WALL 1 (promise C3"),
        ("clerk/main.py", "from troth.vault import envelope", "WALL 1 (promise C3"),
        ("newsletter/services.py", "import smtplib", "WALL 3 (promise C3"),
        ("office/views.py", "from troth.vault import key_store", "WALL 2 (promise C2"),
        ("office/views.py", "from troth.vault import envelope", "WALL 2 (promise C2"),
        ("core/ids.py", "from troth.vault import errors", "no arrow that runs up"),
        ("worker/loop.py", "from troth.office import views", "no arrow that runs up"),
        ("newsletter/services.py", "import stripe", "WALL 3 (promise C3"),
        ("gate/smtp.py", "from troth.demo import mailbox", "rests on the demo"),
        ("gate/smtp.py", "from troth.demo.card_company import server", "rests on the demo"),
    ],
)
def test_a_breach_is_found_and_the_promise_at_risk_is_named(tmp_path, file, line, at_risk):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    broken = tmp_path / "src" / "troth" / file
    broken.write_text(f"{broken.read_text()}\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert any(at_risk in told and "BROKEN" in told for told in done.stdout.splitlines()), done.stdout


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_network_module_outside_the_gate():
    """import-linter sees `urllib` as one; here its parts count (C3)."""
    found = {called(path): _imported(path) & _NETWORK for path in modules() if not _may_connect(path)}
    assert {path: names for path, names in found.items() if names} == {}


def test_nothing_connects_outside_the_gate():
    """`.connect(` of a socket, and asyncio's ways to one (C3). SQLite's and signals' `connect` are other things."""
    ways = ("create_connection", "open_connection", "sock_connect", "create_datagram_endpoint", "connect_ex")
    found = [
        f"{called(path)}:{call.lineno} {name}"
        for path in modules()
        if not _may_connect(path)
        for name, call in calls(path)
        if (name.rpartition(".")[2] in ways or name in {"sock.connect", "socket.connect"})
        and "sock" not in {word.arg for word in call.keywords}  # an end that is connected already
    ]
    assert found == []

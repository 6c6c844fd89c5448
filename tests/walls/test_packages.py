"""What front, clerk and supervisor hold of packages: what they work with, and nothing of the command line's."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.walls.prison import SOURCE, brief_for
from tests.worker import served
from troth.supervisor.brief import pack
from troth.supervisor.supervisor import import_path

pytestmark = pytest.mark.walls
COMMAND_LINE = {"typer", "pydantic", "pydantic_core", "rich"}
PROBE = """
import importlib, sys
def run(brief):
    importlib.import_module({module!r})
    print(*sorted(name.partition(".")[0] for name, module in sys.modules.items() if module is not None))
    for name in {wanted!r}:
        try:
            importlib.import_module(name)
        except ImportError:
            print("refused", name)
"""


def child(role: str, module: str, path: list[str], tmp_path: Path) -> list[str]:
    """What a real child of that role says of itself, in place of its work."""
    probe = tmp_path / "probe"
    probe.mkdir()
    (probe / "probing.py").write_text(PROBE.format(module=module, wanted=sorted(COMMAND_LINE)))
    (tmp_path / "site/public").mkdir(parents=True)
    (tmp_path / "site/spool").mkdir()
    told, tell = os.pipe()
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from dataclasses import replace\n"
        "from troth.supervisor import child, roles\n"
        f"roles.BY_NAME[{role!r}] = replace(roles.BY_NAME[{role!r}], module='probing'); child.main({told})"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    started = subprocess.Popen(command, env={}, stdout=subprocess.PIPE, text=True, pass_fds=[told])
    os.close(told)
    with os.fdopen(tell, "wb") as pipe:
        pipe.write(pack(brief_for(role, tmp_path / "site", path=[*path, str(probe)])))
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 0
    return out.splitlines()


@pytest.mark.parametrize(
    ("role", "module", "path"),
    [("front", "troth.front.main", import_path()), ("clerk", "troth.clerk.main", import_path()[:1])],
)
def test_neither_front_nor_clerk_imports_what_the_command_line_needs_or_can(
    role: str, module: str, path: list[str], tmp_path: Path
) -> None:
    modules, *refused = child(role, module, path, tmp_path)
    assert not COMMAND_LINE & set(modules.split())
    assert refused == [f"refused {name}" for name in sorted(COMMAND_LINE)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that is not dumpable")
def test_in_a_running_house_supervisor_fronts_and_clerk_have_none_of_it_in_memory(tmp_path: Path) -> None:
    """By what is mapped: pydantic's core is compiled. Office and worker need neither, but may read what lies there."""
    site, address = served.make(tmp_path / "site")
    with served.serving(site, address) as house:
        supervisor = psutil.Process(house.process.pid)
        everybody = [supervisor, *supervisor.children()]
        assert len(everybody) >= 5
        for process in everybody:
            mapped = Path(f"/proc/{process.pid}/maps").read_text()
            assert "pydantic_core" not in mapped, process
        assert "troth.supervisor" in supervisor.cmdline()
        names = {Path(f"/proc/{process.pid}/comm").read_text().strip() for process in everybody[1:]}
        assert names >= {"troth-front", "troth-clerk", "troth-worker", "troth-office"}

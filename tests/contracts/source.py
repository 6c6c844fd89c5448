"""The project's files as the contracts look at them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "troth"


def modules() -> list[Path]:
    """All Python files that ship."""
    return sorted(SRC.rglob("*.py"))


def room(path: Path) -> str:
    """The room that a file of ours belongs to: `vault`, `front`, or the module itself."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def called(path: Path) -> str:
    """A file's path, for messages."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text("utf-8"), str(path))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Each call in a file, with the dotted name of what is called as far as it is written out."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def committed() -> list[Path]:
    """Text files that are committed or would be: what git does not ignore. In a folder without git, everything."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if told.returncode == 0:
        paths = [ROOT / name for name in told.stdout.decode().split("\0") if name]
    else:
        away = {".venv", ".tools", "node_modules", "vendor", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"}
        paths = [path for path in ROOT.rglob("*") if not away & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192])

"""How long things may be, and that each file says what it is."""

import ast
import statistics
from pathlib import Path

from tests.contracts.source import called, modules, tree

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
_MEDIAN_FUNCTION = 10

_LONG_ON_PURPOSE: dict[str, str] = {}
"""Functions that are longer, each with its reason."""


def _functions():
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{called(path)}:{node.name}", node.end_lineno - node.lineno + 1


def test_no_file_is_too_long():
    found = {called(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {path: length for path, length in found.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long():
    found = {name: length for name, length in _functions() if length > LONGEST_FUNCTION}
    assert found.keys() <= _LONG_ON_PURPOSE.keys(), found


def test_most_functions_are_short():
    assert statistics.median(length for _, length in _functions()) <= _MEDIAN_FUNCTION


def test_every_file_says_what_it_is():
    empty = {"__init__.py"}  # a folder that only holds others may be without words
    found = [
        called(path)
        for path in modules()
        if "migrations" not in path.parts
        and not ast.get_docstring(tree(path))
        and not (path.name in empty and not path.read_text("utf-8").strip())
    ]
    assert found == []


def test_every_test_is_run():
    """A folder without `__init__.py` among packages was left out of whole runs, and nothing said so."""
    tests = Path(__file__).parents[1]
    folders = {path.parent for path in tests.rglob("test_*.py")}
    assert {folder.name for folder in folders if not (folder / "__init__.py").exists()} == set()

"""Refuse names that say nothing: variables called `one` or `found`, and two public classes of one name in a package.

    python tools/check_names.py [FOLDER]        # FOLDER: of packages; src/troth without it

Prints `FILE:LINE: NAME …` for each and ends with 1 where there is any. Reads Python files and touches nothing else.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

VAGUE = frozenset(
    """
    one ones it them they these those this that who whom whose what here there such much far odd whole thing things
    found told made came gone sought shown given taken got said seen asked begun brought meant wanted looked way ways
    hand
    """.split()
)
"""Pronouns, and verbs without their noun. A row, a path, a match or a count has a name."""

type Name = tuple[str, int, str]
"""File, line, name."""


def vague(path: Path) -> Iterator[Name]:
    """Yield the variables and parameters in this file that are called by a vague name. Fields of classes may be part of
    a table, a form or a format, and stay."""
    tree = ast.parse(path.read_text("utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assigned = [node for of_class in classes for node in of_class.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    fields = {id(target) for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])}
    for node in ast.walk(tree):
        if id(node) in fields:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler):
            name = node.name or ""
        else:
            continue
        if name.strip("_") in VAGUE:
            yield str(path), node.lineno, name


def doubled(paths: Iterable[Path]) -> Iterator[Name]:
    """Yield the public classes in these files of a package that have the name of another one there."""
    places = defaultdict[str, list[Name]](list)
    for path in paths:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append((str(path), node.lineno, node.name))
    return (place for several in places.values() if len(several) > 1 for place in several)


def main(folder: Path) -> int:
    """Print what is refused; return the exit code."""
    sources = [path for path in sorted(folder.rglob("*.py")) if path.parent.name != "migrations"]
    refused = [(*name, "says nothing") for path in sources for name in vague(path)]
    packages = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    by_package = [[path for path in sources if path.is_relative_to(package)] for package in packages]
    refused += [(*name, "is the name of two classes") for paths in by_package for name in doubled(paths)]
    for path, line, name, why in refused:
        print(f"{path}:{line}: {name} {why}", file=sys.stderr)
    return int(bool(refused))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "src/troth")))

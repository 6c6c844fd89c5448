"""What a promise's verdicts and mutants rest on, as one digest: when it changes, its mutants have to be tried again."""

import ast
import hashlib
import inspect
from pathlib import Path

from tests.mutants import breach, run
from tests.mutants.breach import Mutant
from tests.mutants.listed import BY_PROMISE
from tests.mutants.throwaway import SOURCE
from troth.policy.promises import PROMISES
from troth.proofs.registry import RUN

_JUDGES = ("proofs/", "gate/loopback/", "gate/tripwire_log.py")
"""Where code stands that decides what a proof says, below `src/troth`. The rest is what is tried."""


def _imported(path: Path) -> set[Path]:
    """The files of `_JUDGES` that this one imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    below = [
        name.removeprefix("troth.").replace(".", "/") + ".py" for name in names if name and name.startswith("troth.")
    ]
    return {SOURCE / name for name in below if name.startswith(_JUDGES) and (SOURCE / name).exists()}


def files_of(promise: str) -> list[Path]:
    """The files on which this promise's verdicts rest, by what its proofs import."""
    modules = [RUN[proof.id].__module__ for proof in PROMISES[promise].proofs]
    waiting = {SOURCE / (name.removeprefix("troth.").replace(".", "/") + ".py") for name in modules}
    files = {SOURCE / "proofs" / "run.py"}
    while waiting:
        path = waiting.pop()
        files.add(path)
        waiting |= _imported(path) - files
    return sorted(files)


def _definition(mutant: Mutant) -> bytes:
    """What the mutant does and what must see it."""
    script = Path(inspect.getsourcefile(mutant.on_site)).read_text() if mutant.on_site else ""
    return repr((mutant.id, mutant.breach, mutant.edits, script, sorted(mutant.must), sorted(mutant.may))).encode()


def digest_of(promise: str) -> str:
    """SHA-256, hex, over the promise's words, the code of its proofs, its mutants, and how these are judged."""
    parts = [repr(PROMISES[promise]).encode(), inspect.getsource(run.judge).encode()]
    parts += [path.read_bytes() for path in [Path(breach.__file__), *files_of(promise)]]
    parts += [_definition(mutant) for mutant in BY_PROMISE[promise]]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

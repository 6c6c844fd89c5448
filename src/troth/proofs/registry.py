"""The function that runs each proof.

Each module of this package registers its functions with `context.proof`. The words of the promises are in
`policy.promises`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

from troth.policy.promise import Verdict
from troth.policy.promises import PROMISES
from troth.proofs.context import FUNCTIONS, Scene

RUN: dict[str, Callable[[Scene], Verdict]] = {}
"""The function of each proof, by its id, in the order of `policy.promises`; a test holds the two equal."""

for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if not _module.ispkg and _module.name not in {"context", "main", "registry", "run"}:
        importlib.import_module(f"troth.proofs.{_module.name}")
_ORDER = [proof.id for promise in PROMISES for proof in promise.proofs]
RUN.update(sorted(FUNCTIONS.items(), key=lambda entry: _ORDER.index(entry[0])))

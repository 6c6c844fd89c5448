"""The function that runs each proof, registered by `context.proof`. `policy.promises` has the promises' words."""

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

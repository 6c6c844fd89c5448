"""All mutants, by promise: each module of this package that has `BREACHES` says which promises its mutants breach."""

import importlib
import pkgutil
from pathlib import Path

from tests.mutants.breach import Mutant
from troth.policy.promises import PROMISES

_FOUND: dict[str, tuple[Mutant, ...]] = {}
for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if _module.name not in {"__main__", "breach", "cards_blind", "digests", "listed", "run", "throwaway"}:
        for _promise, _mutants in importlib.import_module(f"tests.mutants.{_module.name}").BREACHES.items():
            _FOUND[_promise] = (*_FOUND.get(_promise, ()), *_mutants)
BY_PROMISE = {promise: _FOUND.pop(promise) for promise in PROMISES.ids if promise in _FOUND}
assert not _FOUND, f"mutants of no promise: {', '.join(_FOUND)}"
MUTANTS: dict[str, Mutant] = {one.id: one for found in BY_PROMISE.values() for one in found}
PROMISE_OF: dict[str, str] = {proof.id: promise.id for promise in PROMISES for proof in promise.proofs}
"""By proof."""

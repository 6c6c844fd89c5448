"""All mutants, by promise."""

from tests.mutants import cards_policy, contact, shared, visits
from tests.mutants.breach import Mutant
from troth.policy.promises import PROMISES

BY_PROMISE: dict[str, tuple[Mutant, ...]] = {
    "policy.current": cards_policy.POLICY,
    "contact.basic": contact.BASIC,
    "contact.purpose": contact.PURPOSE,
    "contact.not-shared": (*shared.LYING_ABOUT, *shared.SENT, *shared.PAGES, *shared.OPEN),
    "visitors.aggregate": visits.AGGREGATE,
    "visitors.popular": visits.POPULAR,
    "cards.not-kept": cards_policy.CARDS,
}
MUTANTS: dict[str, Mutant] = {one.id: one for found in BY_PROMISE.values() for one in found}
PROMISE_OF: dict[str, str] = {proof.id: promise.id for promise in PROMISES for proof in promise.proofs}
"""By proof."""

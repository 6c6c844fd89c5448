"""Each proof that a promise names is run, and each that is run is named."""

from troth.policy.promises import PROMISES
from troth.proofs.registry import RUN


def test_what_is_run_is_what_the_promises_name():
    assert list(RUN) == [proof.id for promise in PROMISES for proof in promise.proofs]

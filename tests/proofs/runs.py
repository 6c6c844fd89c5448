"""Runs of proofs for tests of what is made of them: as the prover writes them down, of what the site promises."""

from datetime import timedelta

from django.conf import settings

from troth.core import clock
from troth.policy.models import ProofRun
from troth.policy.promises import PROMISES


def write_run(*, light=False, state="kept", ago=timedelta(), ended=True, **others):
    """A run in which every proof found `state`; `others`: a proof's id, dots as underscores, and what it found."""
    told = {one.replace("_", "."): found for one, found in others.items()}
    results = {
        promise.id: {
            proof.id: {
                "id": proof.id,
                "state": told.get(proof.id, state),
                "detail": f"Found by {proof.id}.",
                "ms": 12,
            }
            for proof in promise.proofs
            if proof.light or not light
        }
        for promise in PROMISES.made_by(settings.TROTH_CONFIG)
    }
    at = clock.now() - ago
    return ProofRun.objects.create(
        light=light,
        began_at=at - timedelta(seconds=3),
        ended_at=at if ended else None,
        results=results if ended else {},
    )

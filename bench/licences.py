"""How long it takes to check a licence key, against the signature alone."""

import time
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.shop.licences import signing
from troth.shop.licences.verifier import Revocations, Verifier

_ROUNDS, _CALLS = 20, 200


def main() -> None:
    key = signing.SigningKey(1, Ed25519PrivateKey.generate(), True)
    terms = signing.LicenceTerms("editor", "T-2026-000123", date(2026, 11, 24), "pro", 5, date(2100, 1, 1))
    text = signing.sign(signing.new_id(), terms, key)
    revoked = Revocations(1, date(2026, 11, 24), frozenset(signing.new_id() for _ in range(10_000)))
    verifier = Verifier([key.text], product="editor")
    public, message = key.key.public_key(), b"x" * 90
    signature = key.key.sign(message)
    whole = alone = 9.0
    for _ in range(_ROUNDS):  # by turns, so that both meet the same machine
        whole = min(whole, _seconds(lambda: verifier.verify(text, revocations=revoked)))
        alone = min(alone, _seconds(lambda: public.verify(signature, message)))
    print(f"a licence key: {len(text)} characters")
    print(f"checking it, {len(revoked.licences):,} revoked: {1e6 * whole:.0f} µs of a core")
    print(f"its signature alone: {1e6 * alone:.0f} µs; the check takes {whole / alone:.2f} times as long")


def _seconds(call) -> float:
    begun = time.process_time()
    for _ in range(_CALLS):
        call()
    return (time.process_time() - begun) / _CALLS


if __name__ == "__main__":
    main()

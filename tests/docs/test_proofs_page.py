"""docs/proofs.md names every promise, every proof in its own words, and every mutant beside what must see it."""

import re
from pathlib import Path

from tests.mutants.listed import MUTANTS
from troth.policy.promises import PROMISES

PAGE = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text("utf-8")
ROWS = {
    match[1]: [cell.strip() for cell in match[0].strip("|").split("|")]
    for match in re.finditer(r"^\| `([a-z]+\.[a-z-]+)` \|.*\|$", PAGE, re.MULTILINE)
}


def test_every_promise_has_its_heading():
    for promise in PROMISES:
        assert f"## {promise.letter}, `{promise.id}`\n\n{promise.means}\n" in PAGE


def test_every_proof_stands_there_as_the_code_has_it_and_with_what_it_cannot_see():
    proofs = [proof for promise in PROMISES for proof in promise.proofs]
    assert list(ROWS) == [proof.id for proof in proofs]
    for proof in proofs:
        _, tried, sees, cannot, _ = ROWS[proof.id]
        assert tried == proof.tried + ("" if proof.light else " Once a day.")
        assert sees == proof.sees
        assert len(cannot) > 20


def test_every_mutant_stands_beside_the_proofs_that_must_see_it():
    for proof, cells in ROWS.items():
        named = set(re.findall(r"`([a-z0-9-]+)`", cells[4]))
        assert named == {mutant.id for mutant in MUTANTS.values() if proof in mutant.must}

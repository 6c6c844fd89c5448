"""The parts of three pages of docs that are made from the promises: two tables, and the sections of docs/proofs.md."""

import re
from pathlib import Path

from tests.mutants.listed import MUTANTS
from troth.policy.promises import PROMISES

DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEADS = ("proof", "what it checks", "what it would detect", "what it can't detect", "mutants")


def promises_page() -> str:
    """Return docs/promises.md with the table of promises made from the code."""
    rows = [f"| `{promise.id}` | {promise.means} |" for promise in PROMISES]
    table = "\n".join(["| promise | in a sentence |", "| --- | --- |", *rows])
    text = (DOCS / "promises.md").read_text("utf-8")
    return re.sub(r"(?ms)^\| promise .*?\n(?=\n)", lambda _: table + "\n", text, count=1)


def auditing_page() -> str:
    """Return docs/auditing.md with the table of promises and their proofs made from the code."""
    rows = [
        f"| `{promise.id}` | {', '.join(f'`{proof.id}`' for proof in promise.proofs)} | {_section_link(promise)} |"
        for promise in PROMISES
    ]
    table = "\n".join(["| promise | proofs | details |", "| --- | --- | --- |", *rows])
    text = (DOCS / "auditing.md").read_text("utf-8")
    return re.sub(r"(?ms)^\| promise .*?\n(?=\n)", lambda _: table + "\n", text, count=1)


def _section_link(promise) -> str:
    anchor = re.sub(r"[^a-z0-9 -]", "", f"{promise.letter} {promise.id}".lower()).replace(" ", "-")
    return f"[{promise.letter}](proofs.md#{anchor})"


def proofs_page() -> str:
    """Return docs/proofs.md with the section of each promise made from the code."""
    text = (DOCS / "proofs.md").read_text("utf-8")
    start, end = re.search(r"^## [A-Z]\d+, `", text, re.MULTILINE), text.index("## What no proof detects")
    assert start is not None
    return text[: start.start()] + "\n".join(_section(promise) for promise in PROMISES) + "\n" + text[end:]


def _section(promise) -> str:
    lines = [f"## {promise.letter}, `{promise.id}`", "", promise.means, ""]
    lines += [f"| {' | '.join(_HEADS)} |", "| --- " * len(_HEADS) + "|"]
    for proof in promise.proofs:
        tried = proof.tried if proof.light else f"{proof.tried} Once a day."
        mutants = ", ".join(f"`{mutant.id}`" for mutant in MUTANTS.values() if proof.id in mutant.must)
        lines.append(f"| `{proof.id}` | {tried} | {proof.sees} | {proof.misses} | {mutants} |")
    return "\n".join([*lines, ""])

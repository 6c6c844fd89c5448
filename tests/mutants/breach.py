"""What a mutant is: a breach in words, how it gets into a copy of the program, and what must see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in a file of the program (its path below `src/troth`), replaced exactly once."""

    file: str
    old: str
    new: str


class OutOfDate(Exception):
    """The text that a mutant replaces is not there once: the program has moved on, and the mutant has to follow."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One breach."""

    id: str
    breach: str
    """In a sentence: what the program does that it promises not to do."""
    must: frozenset[str]
    """Proofs that must turn red."""
    edits: tuple[Edit, ...] = ()
    on_site: Callable[["OnSite"], None] | None = None
    """What is done to the running throwaway site, after its start."""
    may: frozenset[str] = field(default_factory=frozenset)
    """Proofs that may turn red, or be unable to tell, beside these."""

    def apply(self, source: Path) -> None:
        """Change the copy of the program in `source` (the folder `troth`). Raises `OutOfDate`."""
        for edit in self.edits:
            path = source / edit.file
            text = path.read_text() if path.exists() else ""
            if text.count(edit.old) != 1:
                raise OutOfDate(f"{self.id}: the text it replaces stands {text.count(edit.old)} times in {edit.file}")
            path.write_text(text.replace(edit.old, edit.new))


@dataclass(frozen=True, slots=True)
class OnSite:
    """A running throwaway site, for a mutant to work on."""

    root: Path
    prove: Callable[..., dict[str, dict[str, str]]]
    """Tries the promises; returns state and detail of each proof by its id."""
    front: str


def edit(file: str, old: str, new: str) -> tuple[Edit, ...]:
    """One edit."""
    return (Edit(file, old, new),)


def proofs(*names: str) -> frozenset[str]:
    """Ids of proofs."""
    return frozenset(names)

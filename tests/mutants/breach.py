"""What a mutant is: a breach in words, its change to a copy of the program, and the proofs that must detect it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in a file (path below `src/troth`) that is replaced exactly once."""

    file: str
    old: str
    new: str


class OutOfDate(Exception):
    """The text that a mutant replaces is not in the file exactly once: the program changed, and the mutant must
    follow."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One breach."""

    id: str
    breach: str
    """What the program does although it promises not to, in a sentence. Visitors read it on the policy page."""
    must: frozenset[str]
    """Proofs that must turn red."""
    edits: tuple[Edit, ...] = ()
    on_site: Callable[["OnSite"], None] | None = None
    """Changes the running throwaway site after its start."""
    may: frozenset[str] = field(default_factory=frozenset)
    """Further proofs that may turn red or be unproven."""

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
    """A running throwaway site for a mutant to change."""

    root: Path
    prove: Callable[..., dict[str, dict[str, str]]]
    """Runs the proofs; returns state and detail of each by its id."""
    front: str


def edit(file: str, old: str, new: str) -> tuple[Edit, ...]:
    """Return one edit."""
    return (Edit(file, old, new),)


def proofs(*names: str) -> frozenset[str]:
    """Return a set of proof ids."""
    return frozenset(names)

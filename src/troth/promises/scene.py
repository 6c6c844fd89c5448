"""What a proof is given: the site, its settings, its own front, and canaries that were planted for it."""

from dataclasses import dataclass, field
from pathlib import Path

from troth.gate.ownfront import OwnFront
from troth.ground.config import Config
from troth.ground.site import Site
from troth.promises.canaries import Canary


@dataclass(frozen=True, slots=True)
class Scene:
    """One run of proofs."""

    site: Site
    config: Config
    front: OwnFront
    canaries: tuple[Canary, ...]
    light: bool
    digest: str
    """SHA-256 of `policy.md` as it lies there now, hex."""
    cards: list[str] = field(default_factory=list)
    """Card numbers that proofs of this run have typed somewhere: none of them may lie anywhere afterwards."""

    @property
    def log(self) -> Path | None:
        """The log in the site's folder, where it is kept there."""
        path = self.site.root / "troth.log"
        return path if path.exists() else None

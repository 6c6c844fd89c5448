"""Where the list of revoked licences lies: `public/licences/revoked.json`. Worker and front. Touches nothing."""

from pathlib import Path


def path(public: Path) -> Path:
    """Return the file."""
    return public / "licences" / "revoked.json"

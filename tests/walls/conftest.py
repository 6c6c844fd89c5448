"""A site's folders with something in each of them."""

from pathlib import Path

import pytest

FOLDERS = ("keys/people", "keys/seal", "keys/sign", "keys/office", "data", "spool", "public/gen-1", "asks", "offers")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A site's folder, enough for a fence: each part holds a file `secret`, and `public/` a file `open`."""
    root = tmp_path / "site"
    for name in FOLDERS:
        (root / name).mkdir(parents=True)
    for name in ("keys/secret", "keys/seal/secret", "keys/people/secret", "data/secret", "asks/secret"):
        (root / name).write_text("nobody's business")
    (root / "spool/0000000000000001.seg").write_bytes(b"acknowledged")
    (root / "troth.toml").write_text("[site]\n")
    (root / "policy.md").write_text("# Policy\n")
    (root / "keys/site-id").write_text("0")
    (root / "public/gen-1/open").write_text("anyone's")
    return root

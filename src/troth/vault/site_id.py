"""The site's id, which is part of envelopes and boxes and not secret. Needs no database."""

import uuid

from troth.core.site import Site
from troth.vault.errors import KeyStoreError


def read_site_id(site: Site) -> uuid.UUID:
    """Read the site's id. Raises `KeyStoreError` if its file is missing or invalid."""
    try:
        return uuid.UUID(site.site_id.read_text().strip())
    except (OSError, ValueError):
        raise KeyStoreError(
            "keys/site-id is missing or not an id.", mend="Put keys/ back from your backup: envelopes name the site."
        ) from None

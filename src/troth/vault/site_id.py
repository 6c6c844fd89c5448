"""The site's id: no secret, but envelopes and boxes name it. Needs no database."""

import uuid

from troth.core.site import Site
from troth.vault.errors import KeyStoreError


def read_site_id(site: Site) -> uuid.UUID:
    """The site's id. Raises `KeyStoreError` where its file is missing or makes no sense."""
    try:
        return uuid.UUID(site.site_id.read_text().strip())
    except (OSError, ValueError):
        raise KeyStoreError(
            "keys/site-id is missing or not an id.", mend="Put keys/ back from your backup: envelopes name the site."
        ) from None

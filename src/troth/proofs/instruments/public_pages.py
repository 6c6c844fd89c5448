"""Every page that the public server shows to anybody, as proofs fetch them: forms fresh, embedded and returned with
errors, the newest issues, what is on sale. May touch: the site's own front; the database (what is on sale)."""

import re
from collections.abc import Iterator
from uuid import uuid4

from troth.gate.loopback.front_client import FrontAnswer
from troth.proofs.context import Scene
from troth.proofs.instruments import invented_cards, shop_window
from troth.vault import signing_keys

_ISSUE = re.compile(r"newsletter/archive/[a-z0-9-]+")
_ISSUES = 3
"""So many of the newest issues are looked at."""


def pages(scene: Scene) -> Iterator[tuple[str, FrontAnswer]]:
    """Yield each page with its path, or what it is."""
    contact = ["/contact"] if scene.config.contact.enabled else []
    letters = ("/newsletter", "/newsletter/archive", "/newsletter/feed.xml")
    for path in (*letters, *contact, "/privacy", "/privacy/me", "/thanks/signup", "/confirm/x", "/nowhere"):
        yield path, scene.front.get(path)
    issues = list(dict.fromkeys(_ISSUE.findall(scene.front.get("/newsletter/archive").text)))[:_ISSUES]
    for path in (*(f"/{issue}" for issue in issues), f"/preferences/{_nobodys_link()}"):
        yield path, scene.front.get(path)
    for path in ("/newsletter?embed", *(["/contact?embed"] if contact else []), *shop_window.pages(scene)):
        yield path, scene.front.get(path)
    for form in invented_cards.given_back(scene):
        if form.answer.status == 422:
            yield f"{form.path}, returned with errors,", form.answer


def _nobodys_link() -> str:
    """Return a link to the preferences of nobody, which the public server cannot tell from anybody's."""
    return signing_keys.signer().sign_topics(uuid4(), 1)

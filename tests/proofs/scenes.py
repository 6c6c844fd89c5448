"""What a proof is given, on a throwaway site where nothing serves."""

from contextlib import contextmanager

from troth.proofs.context import Scene
from troth.proofs.instruments.canaries import planted


def ready(site):
    """The present epoch's key, which a worker would have made."""
    site.key()


@contextmanager
def scene(site, settings, *, count=3, light=True, **more):
    """Canaries on the site, and the scene around them."""
    ready(site)
    with planted(count) as canaries:
        yield Scene(site, settings.TROTH_CONFIG, tuple(canaries), light, **more)

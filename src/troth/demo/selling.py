"""Set up the demo's shop as an operator would: keys, the address for notices, products. Run by `demo.on_site`, with
what the test card company said when it was ready. May touch: the site's `keys/` and database; that company."""

import json
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings

from troth.shop import catalogue, company, keys, publishing
from troth.worker import migrate

PRODUCTS = Path(__file__).with_name("products.toml")


def main(ready: str) -> None:
    """Fill the shop. `ready`: a JSON object with `url` and `secret_key`."""
    if migrate.look().empty:
        migrate.make_changes()
    facts, site = json.loads(ready), settings.TROTH_SITE
    keys.put_key(site, facts["secret_key"])
    address = keys.notice_address(site, settings.TROTH_CONFIG.site.url)
    keys.put_secret(site, _signing_secret(facts["url"], facts["secret_key"], address))
    catalogue.take_over(catalogue.read(PRODUCTS.read_bytes(), settings.TROTH_CONFIG.shop))
    publishing.publish(company.company())


def _signing_secret(url: str, key: str, address: str) -> str:
    """Enter the address for notices at the card company, and return what it signs them with."""
    form = urlencode({"url": address, "enabled_events[]": "*"}).encode()
    request = urllib.request.Request(  # noqa: S310 - the test card company's own address
        f"{url}/v1/webhook_endpoints", form, {"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(json.load(answer)["secret"])

"""Creates the demo's operator, stores the vendor's pages, and prints the path of a one-time sign-in link. A separate
process, so that the demo itself never loads Django or a key.

    python -m troth.demo.operator SITE
"""

import os
import sys

EMAIL = "operator@example.com"


def main(site: str) -> None:
    """Add the operator and the vendor's pages to the site in the folder `site`."""
    os.environ["TROTH_SITE"] = site
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    import django

    django.setup()
    from troth.audience.imports import sitemap
    from troth.demo.vendor import PAGES
    from troth.office import operators

    sitemap.store(["/", *(f"/{page}" for page in PAGES if page not in {"index.html", "404.html"})])
    operators.add("Demo Operator", EMAIL)
    print(operators.new_link(EMAIL, signs_in=True))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])

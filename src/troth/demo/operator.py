"""Create the demo's operator, store the vendor's pages, and print the path of a one-time sign-in link
(`demo.on_site`)."""

from troth.audience.imports import sitemap
from troth.demo.vendor import OPERATOR_EMAIL, PAGES
from troth.office import operators


def main() -> None:
    """Add the operator and the vendor's pages to the site."""
    sitemap.store(["/", *(f"/{page}" for page in PAGES if page not in {"index.html", "404.html"})])
    operators.add("Demo Operator", OPERATOR_EMAIL)
    print(operators.new_link(OPERATOR_EMAIL, signs_in=True))  # noqa: T201

"""Give the demo's site a past: generated visits, and a newsletter with subscribers and issues. Run by
`demo.on_site`."""

from troth.demo import newsletter, visits


def main(days: str, site: str) -> None:
    """Fill the site. `days`: so many days of visits. `site`: the address of the vendor's website."""
    visits.main(days)
    newsletter.fill(site)

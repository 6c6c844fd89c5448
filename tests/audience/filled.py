"""`python -m tests.audience.filled`: weeks of plausible visits into the site that TROTH_SITE names."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")


def main() -> None:
    """Fill it, in one transaction."""
    django.setup()
    from django.db import transaction

    from tests.audience import sample
    from troth.audience.queries import site_time

    with transaction.atomic():
        sample.fill(site_time.now(), days=120, visits=140, spam="cheap-clicks.example.com")


if __name__ == "__main__":
    main()

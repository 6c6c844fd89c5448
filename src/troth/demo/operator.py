"""Makes the demo's operator and prints the path of a one-time sign-in link. A process of its own, so that the demo
itself never loads Django or a key.

    python -m troth.demo.operator SITE
"""

import os
import sys

EMAIL = "operator@example.com"


def main(site: str) -> None:
    """Add the operator to the site in the folder `site`."""
    os.environ["TROTH_SITE"] = site
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.settings"
    import django

    django.setup()
    from troth.office import operators

    operators.add("Demo Operator", EMAIL)
    print(operators.new_link(EMAIL, signs_in=True))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])

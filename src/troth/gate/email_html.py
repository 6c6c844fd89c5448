"""The HTML part of an email, from a template in a package's `emails/` folder.

A template is named by its path in the program: `newsletter/emails/confirmation.html`. It extends
`gate/emails/base.html` and gets the email as `mail`. Values are escaped; an undefined name is an error. May read: those
folders.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core.lazy import lazy

if TYPE_CHECKING:
    import jinja2
else:  # most processes that know of emails never write one
    jinja2 = lazy("jinja2")


@cache
def _environment() -> "jinja2.Environment":
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: object) -> str:
    """Return the page that `template` makes of `values`."""
    return _environment().get_template(template).render(**values)

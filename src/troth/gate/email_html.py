"""The HTML part of an email, from a template in a package's `emails/` folder.

A template is named by its path in the program: `newsletter/emails/confirmation.html`. It extends
`gate/emails/base.html` and gets the email as `mail`. Values are escaped; an undefined name is an error. May read: those
folders.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1]),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: object) -> str:
    """Return the page that `template` makes of `values`."""
    return _environment.get_template(template).render(**values)

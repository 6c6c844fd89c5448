"""Templates, compiled once at the start; every value is escaped. May read: this package's `templates/`."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from troth.core import facts

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["facts"] = facts
_templates = {name: _environment.get_template(name) for name in _environment.list_templates(extensions=["html"])}


def render(name: str, **values: object) -> str:
    """Return the template's text. A value that the template names and is not given is an error."""
    return _templates[name].render(**values)

"""Import a module when it is first used: Django's models once Django knows the site, heavy libraries once needed.

The imports still stand at the top of the file, where mypy and the import contracts see them:

    if TYPE_CHECKING:
        from troth.people import queries
    else:
        queries = lazy("troth.people.queries")

Standard library only; touches nothing. Source: PEP 810, which brings `lazy import` to Python 3.15.
"""

from importlib import import_module
from types import ModuleType
from typing import Any


class _Lazy(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def lazy(module: str) -> ModuleType:
    """Return a stand-in for `module` that imports it when one of its names is first asked for."""
    return _Lazy(module)

"""The console's navigation. A room adds a line here when it gets a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation."""

    url_name: str
    label: str
    icon: str
    """Names `kit/icons/<icon>.svg`."""
    also: tuple[str, ...] = ()
    """Further pages, by url name, under which this entry is the present one."""


NAV: tuple[Item, ...] = (
    Item("today", "Today", "today"),
    Item("people", "People", "people", also=("person", "find_person", "consent")),
)

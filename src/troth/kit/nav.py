"""The console's navigation. A package adds a line here when it gets a page."""

from dataclasses import dataclass

from troth.kit.roles import DESK, EVERYBODY, OWNERS, Role


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation."""

    url_name: str
    label: str
    icon: str
    """Names `kit/icons/<icon>.svg`."""
    also: tuple[str, ...] = ()
    """Further pages, by url name, under which this entry is the present one."""
    roles: tuple[Role, ...] = EVERYBODY
    """Who sees it: the same as may open it."""


NAV: tuple[Item, ...] = (
    Item("today", "Today", "today"),
    Item("statistics", "Visitors", "visitors", also=("statistics_more", "statistics_out", "statistics_take_out")),
    Item(
        "messages",
        "Inbox",
        "messages",
        also=("thread", "find_messages", "answer", "canned", "canned_change"),
        roles=DESK,
    ),
    Item(
        "people",
        "People",
        "people",
        also=("person", "search_people", "consent", "edit_person", "delete_person", "erasure"),
        roles=DESK,
    ),
    Item(
        "promises",
        "Promises",
        "promises",
        also=("run_checks", "proof_run", "policy", "publish_policy", "policy_version"),
    ),
    Item("access_log", "Access log", "ledger", also=("access_log_verify",), roles=OWNERS),
    Item("held", "Held mail", "held", roles=OWNERS),
    Item("deletion_log", "Deletion log", "erasures", roles=OWNERS),
    Item("system_status", "System status", "house"),
    Item("retention", "Retention", "kept"),
    Item("api_tokens", "API tokens", "token", roles=OWNERS),
    Item("team", "Team", "key", also=("team_add", "team_link"), roles=OWNERS),
)


def nav_for(role: str | None) -> list[Item]:
    """What an operator of this role sees."""
    return [item for item in NAV if role in item.roles]

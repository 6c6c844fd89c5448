"""Which share of known programs is dropped, and which share of known browsers.

    python -m bench.agents

The lists are other people's and come with `make test` (assets/package.json); none is committed: the agents of
crawler-user-agents, and the browsers that isbot was tested with. isbot publishes its list no more; its last one, of
2015, also names feed readers, copiers of whole sites and placeholders, so beside the whole list stand those that begin
as browsers do. Prints one JSON line.
"""

import json
from pathlib import Path

from troth.audience.counting.user_agents import parse

_LISTS = Path(__file__).parents[1] / "assets" / "node_modules"
GOAL_PROGRAMS, GOAL_BROWSERS = 0.99, 0.015


def programs() -> list[str]:
    """Agents of crawlers."""
    listed = json.loads((_LISTS / "crawler-user-agents" / "crawler-user-agents.json").read_text("utf-8"))
    return [agent for one in listed for agent in one["instances"]]


def browsers(*, all_of_them: bool = False) -> list[str]:
    """Agents of people: those that begin with `Mozilla/` or `Opera/`, as every browser of today does, or all."""
    lines = (_LISTS / "isbot" / "browsers.txt").read_text("utf-8").splitlines()
    agents = [line.strip() for line in lines if line.strip()]
    return agents if all_of_them else [agent for agent in agents if agent.startswith(("Mozilla/", "Opera/"))]


def share(agents: list[str]) -> float:
    """The share that is dropped."""
    return sum(bool(parse(agent).dropped) for agent in agents) / len(agents)


def main() -> None:
    """Measure and print."""
    found = {"programs": programs(), "browsers": browsers(), "browsers_and_others": browsers(all_of_them=True)}
    print(
        json.dumps(
            {
                "bench": "agents",
                "goal": {"programs": GOAL_PROGRAMS, "browsers": GOAL_BROWSERS},
                **{name: {"agents": len(agents), "dropped": round(share(agents), 4)} for name, agents in found.items()},
            }
        )
    )


if __name__ == "__main__":
    main()

"""How long the office's pages take at 1,000,000 people: the real office, over HTTP, signed in, beside its worker.

    python -m bench.office [sqlite|postgresql]

One operator turns pages, one after the other. Beside it stands a page that shows nobody, the operator's own account.
`bench.crowd` says how many people and where they are kept. Prints one JSON line: of each page, in milliseconds, the
middle time, the one that 95 in 100 stay under, and how long the office itself computed for it (the middle, too): what
else goes on on the machine is in the first two, but not in the third.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench import crowd, desk
from troth.supervisor.supervisor import Supervisor

GOAL_MS = 150
ROUNDS = 40
_EMAIL = "olga@example.com"


@contextmanager
def signed_in(root: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A browser whose operator, an owner, sits at the office of this site; and the office's process id."""
    from django.db import connections

    from troth.core.config.load import load_config
    from troth.office import operators
    from troth.office.models import Operator

    if not Operator.objects.exists():
        operators.add("Olga", _EMAIL)
    link = operators.new_link(_EMAIL, signs_in=True)
    connections.close_all()
    supervisor = Supervisor(root, quiet=True, one_user=True)
    supervisor.start()
    try:
        supervisor.wait_ready(120)
        with httpx.Client(base_url=load_config(root / "troth.toml").office.url, timeout=60) as client:
            welcome = client.post(link, data={"csrfmiddlewaretoken": token(client.get(link).text)})
            assert welcome.status_code == 302, welcome.status_code
            yield client, supervisor.processes()["office"]
    finally:
        supervisor.stop()


def token(page: str) -> str:
    """The form's token against forged requests."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found[1]


def pages(client: httpx.Client) -> dict[str, str]:
    """Every page that is measured by GET."""
    from troth.contact.models import Thread
    from troth.people.queries import PAGE_SIZE
    from troth.vault.models import Person

    people, threads = -(-Person.objects.count() // PAGE_SIZE), -(-Thread.objects.count() // 50)
    confirmed = re.findall(r"of ([\d,]+)</span>", client.get("/people/?state=confirmed").text)
    number = int(confirmed[0].replace(",", "")) // PAGE_SIZE
    last = client.get(f"/people/?page={people // 2}").text
    older = re.search(r'rel="next" href="([^"]+)"', last)
    assert older
    return {
        "account": "/account/",
        "people_first": "/people/",
        "people_middle": f"/people/?page={people // 2}",
        "people_middle_by_link": "/people/" + older[1].replace("&amp;", "&"),
        "people_last": f"/people/?page={people}",
        "confirmed_first": "/people/?state=confirmed",
        "confirmed_middle": f"/people/?state=confirmed&page={number // 2}",
        "confirmed_last": f"/people/?state=confirmed&page={number}",
        "left": "/people/?state=left",
        "person": f"/people/{_middle(Person)}/",
        "messages": "/inbox/",
        "messages_all": "/inbox/?state=all",
        "messages_middle": f"/inbox/?state=all&page={threads // 2}",
        "messages_last": f"/inbox/?state=all&page={threads}",
        "thread": f"/inbox/{_middle(Thread)}/",
        "ledger": "/access-log/",
        "today": "/",
        "house": "/status/",
        "held": "/held/",
        "kept": "/retention/",
        "erasures": "/deletion-log/",
        "operators": "/team/",
    }


def _middle(model: Any) -> Any:
    ids = model.objects.order_by("id").values_list("id", flat=True)
    return ids[ids.count() // 2]


def searches() -> dict[str, str]:
    """What is looked for: names and words that nobody, one and very many have."""
    email, name, _, _ = crowd.person(crowd.COUNT // 2)
    telephone = crowd.person(crowd.COUNT // 6 * 3)[2]
    return {
        "find_email": email,
        "find_nobody": "nobody.at.all@example.com",
        "find_word": name.split()[0],
        "find_name": name,
        "find_telephone": telephone,
        "find_domain": "@example.com",
    }


@dataclass
class Times:
    """How long one page took, each time, in milliseconds."""

    waited: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)

    def told(self) -> list[int]:
        """Middle, 95 in 100, computed."""
        return [round(median(self.waited)), round(p95(self.waited)), round(median(self.computed))]


def computed_ms(process: int) -> float:
    """How long all threads of a process have been on a core (proc(5), `schedstat`)."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in threads) / 1e6


def measure(client: httpx.Client, office: int) -> dict[str, Times]:
    """All pages in turn, `ROUNDS` times after one to warm up."""
    csrf = token(client.get("/people/").text)
    asked: dict[str, tuple[str, str, dict[str, str] | None]] = {
        name: ("GET", url, None) for name, url in pages(client).items()
    }
    for name, words in searches().items():
        asked[name] = ("POST", "/people/search/", {"csrfmiddlewaretoken": csrf, "sought": words})
    found = {name: Times() for name in asked}
    for number in range(ROUNDS + 1):
        for name, (method, url, data) in asked.items():
            before, begun = computed_ms(office), time.perf_counter()
            answer = client.request(method, url, data=data)
            waited = (time.perf_counter() - begun) * 1000
            assert answer.status_code in (200, 302), (url, answer.status_code)
            if number:
                found[name].waited.append(waited)
                found[name].computed.append(computed_ms(office) - before)
    return found


def p95(times: list[float]) -> float:
    """The time that 95 in 100 stay under."""
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def main(kind: str) -> None:
    """Measure and print."""
    with crowd.filled(kind) as root:
        desk.lay()
        with signed_in(root) as (client, office):
            times = measure(client, office)
    base = median(times["account"].waited)
    slowest = max(times, key=lambda name: p95(times[name].waited))
    print(
        json.dumps(
            {
                "bench": "office",
                "database": kind,
                "people": crowd.COUNT,
                "goal_p95_ms": GOAL_MS,
                "slowest_page": slowest,
                "slowest_p95_ms": round(p95(times[slowest].waited)),
                "ratio_to_a_page_of_nobody": round(median(times[slowest].waited) / base, 1),
                "missed": [name for name, some in times.items() if p95(some.waited) >= GOAL_MS],
                "p50_p95_computed_ms": {name: some.told() for name, some in times.items()},
                "load": crowd.load(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")

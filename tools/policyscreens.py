"""Pictures of the policy in each of its states, and of the office's pages of promises; `tools/screens.py` takes them.

Each state is brought about: a run of proofs, a policy edited on the disk, a run put two days back in the database.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import BrowserContext, Page

from tests.browser.house import House

_PATIENCE_SECONDS = 120
type Shot = tuple[str, str, Callable[[Page], object]]
"""A file's name, its words, and how to get there."""


def _until(found: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, what
        time.sleep(0.3)


def _says(at: House, words: str) -> None:
    _until(lambda: words in httpx.get(f"{at.front}/privacy").text, f"the policy does not say: {words}")


def _runs(at: House) -> int:
    with closing(sqlite3.connect(at.site / "data" / "troth.sqlite3", timeout=10)) as database:
        row = database.execute("SELECT count(*) FROM policy_proofrun WHERE ended_at IS NOT NULL").fetchone()
    return int(row[0])


def _change(at: House, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(at.site / "data" / "troth.sqlite3", timeout=10)) as database, database:
        database.execute(statement, values)


def _try(at: House, word: str) -> None:
    before = _runs(at)
    (at.site / "data" / "prove-asked").write_text(word)
    _until(lambda: _runs(at) > before, "no run ended")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _open(page: Page, path: str, *, unfold: int | None = None) -> None:
    page.goto(path)
    if unfold is not None:
        page.locator("summary:visible").nth(unfold).click()


def photograph(at: House, visitor: BrowserContext, office: BrowserContext, take: Callable[..., None]) -> list[Shot]:
    """All of them, in an order in which none spoils the next. `take(context, name, words, go)` photographs one."""
    taken: list[Shot] = []

    def shot(context: BrowserContext, name: str, words: str, path: str, unfold: int | None = None) -> None:
        def go(page: Page) -> None:
            _open(page, path, unfold=unfold)

        taken.append((name, words, go))
        take(context, name, words, go)

    privacy, desk, policy = f"{at.front}/privacy", f"{at.office}/promises/", at.site / "policy.md"
    _says(at, "Not tested yet")
    shot(visitor, "privacy-untried", "The policy, before the first trial", privacy)
    _try(at, "full")
    _says(at, "promises were tested and kept")
    shot(visitor, "privacy-kept", "The policy, kept", privacy)
    shot(visitor, "privacy-unfolded", "How one promise is kept and tried", privacy, 2)
    shot(visitor, "vendor-privacy", "The policy on the sample vendor's page", f"{at.vendor}/privacy.html")
    then = _moment(datetime.now(UTC) - timedelta(days=2))
    _change(at, "UPDATE policy_proofrun SET began_at = ?, ended_at = ?", then, then)
    _says(at, "Not verified since")
    shot(visitor, "privacy-stale", "The policy, not verified for two days", privacy)
    _try(at, "full")
    shot(office, "office-promises", "The promises", desk, 2)
    _under_way(at)
    shot(office, "office-promises-trying", "A run as it goes on", desk)
    _change(at, "DELETE FROM policy_proofrun WHERE ended_at IS NULL")
    kept = policy.read_text("utf-8")
    policy.write_text(
        kept.replace("Open a promise", "Unfold a promise") + "\nWe will never sell your address.\n", "utf-8"
    )
    time.sleep(2.5)
    shot(office, "office-policy", "What an edited policy would change", f"{desk}policy/")
    _publish(at, office)
    shot(visitor, "privacy-versions", "All versions", f"{privacy}/versions", 0)
    _break(at)
    _says(at, "broken at present")
    shot(visitor, "privacy-broken", "The policy, a promise broken", privacy)
    shot(office, "office-promises-broken", "The promises, one broken", desk)
    policy.write_text(f"{kept}\nWe share your address with our partners.\n", "utf-8")
    time.sleep(2.5)
    shot(office, "office-policy-wrong", "A policy that contradicts itself", f"{desk}policy/")
    policy.write_text(kept, "utf-8")
    return taken


def _under_way(at: House) -> None:
    """A run of which some proofs have ended, as the prover writes it."""
    with closing(sqlite3.connect(at.site / "data" / "troth.sqlite3", timeout=10)) as database:
        row = database.execute("SELECT results FROM policy_proofrun WHERE ended_at IS NOT NULL").fetchone()
    some = dict(list(json.loads(row[0]).items())[:2])
    statement = "INSERT INTO policy_proofrun (id, light, began_at, ended_at, results) VALUES (?, 0, ?, NULL, ?)"
    _change(at, statement, uuid.uuid4().hex, _moment(datetime.now(UTC)), json.dumps(some))


def _break(at: House) -> None:
    """The newest run as it were if a page set a cookie."""
    newest = "policy_proofrun WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1"
    with closing(sqlite3.connect(at.site / "data" / "troth.sqlite3", timeout=10)) as database:
        ident, results = database.execute(f"SELECT id, results FROM {newest}").fetchone()
    told = json.loads(results)
    for proofs in told.values():
        if "shared.pages" in proofs:
            proofs["shared.pages"] |= {"state": "broken", "detail": "/contact sets a cookie."}
    _change(at, "UPDATE policy_proofrun SET results = ? WHERE id = ?", json.dumps(told), ident)


def _publish(at: House, office: BrowserContext) -> None:
    page = office.new_page()
    page.goto(f"{at.office}/promises/policy/")
    page.get_by_label("What changed").fill("We say in one more sentence that no address is sold.")
    page.get_by_role("button", name="Publish version 2").click()
    page.get_by_text("Version 2 is published. Visitors").wait_for()
    page.close()
    _until(lambda: "Version 2" in httpx.get(f"{at.front}/privacy/versions").text, "version 2 is not shown")

"""Examine the shop for `troth doctor`: its keys, and what the database says of notices, questions and the comparison.
Asks the card company nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.site import Site
from troth.gate import doors
from troth.operate.doctor.finding import Finding

_LATELY = timedelta(days=2)
_NOTICES = {
    "no_secret": ("there is no signing secret", "Store it: `troth shop secret` (docs/shop.md)."),
    "wrong_signature": (
        "they are not signed with our secret",
        "Is the secret that of this endpoint? `troth shop secret` stores another. A few are forgeries: nothing to do.",
    ),
    "wrong_time": ("they were signed at another time", "Set the machine's clock. A few are replays: nothing to do."),
}
_QUESTIONS = {
    "key_refused": "Check the key and its permissions (docs/shop.md); `troth shop key` stores another.",
    "no_key": "Store the key: `troth shop key` (docs/shop.md).",
    "no_answer": "Is the card company reachable from here? It is asked again by itself.",
}


def look(site: Site, settings: Config) -> Iterator[Finding]:
    """Yield findings about the settings and keys of a shop that is on."""
    if not settings.shop.enabled:
        return
    door = doors.card_company(settings.shop.api)
    missing = [
        (path.name, command)
        for path, command in ((site.card_company_key, "key"), (site.card_company_secrets, "secret"))
        if not (path.is_file() and path.read_text("utf-8", "replace").strip())
    ]
    for name, command in missing:
        yield Finding("bad", f"keys/{name} is missing or empty.", f"Store it: `troth shop {command}` (docs/shop.md).")
    if site.card_company_key.is_file() and not site.card_company_key.read_text("utf-8", "replace").startswith("rk_"):
        mend = "Create a restricted key with the permissions in docs/shop.md, and store it: `troth shop key`."
        yield Finding("warn", "The key to the card company is not restricted: it may do anything there.", mend)
    if not missing:
        yield Finding("ok", f"The shop has its keys; it connects to {door.host}, port {door.port}.")


def look_in(connection: Any) -> Iterator[Finding]:
    """Yield findings from the database. There are none without a shop."""
    day = (clock.now() - _LATELY).date().isoformat()
    query = f"SELECT reason, sum(count) FROM shop_refusednotice WHERE day >= '{day}' GROUP BY reason"  # noqa: S608 - a date of ours
    for reason, count in connection.execute(query).fetchall():
        why, mend = _NOTICES.get(reason, ("they cannot be read", "Nothing to do if there are only a few."))
        yield Finding("warn", f"Notices of the card company refused in two days: {count}; {why}.", mend)
    questions = "SELECT problem, count(*) FROM shop_question WHERE problem <> '' GROUP BY problem"
    for problem, count in connection.execute(questions).fetchall():
        mend = _QUESTIONS.get(problem, "It is asked again by itself.")
        yield Finding("warn", f"Purchases that the card company could not be asked about: {count} ({problem}).", mend)
    row = connection.execute("SELECT differing, problem FROM shop_comparison WHERE id = 1").fetchone()
    if row and row[1]:
        mend = _QUESTIONS.get(row[1], "It is tried again by itself.")
        yield Finding("warn", f"The orders could not be compared with the card company ({row[1]}).", mend)
    if row and row[0]:
        mend = "`troth reconcile` compares all of them, and settles what it can."
        yield Finding("warn", f"Orders that do not agree with the card company: {row[0]}.", mend)
    (count,) = connection.execute(
        "SELECT count(*) FROM shop_order WHERE problem <> '' AND state <> 'refunded'"
    ).fetchone()
    if count:
        mend = "Admin shows them under Orders: refund them, or deliver by hand."
        yield Finding("warn", f"Payments that do not agree with what was offered: {count}.", mend)

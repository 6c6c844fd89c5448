"""Breaches of B2 and P1: a card number is kept; visitors read a policy that is not the current one."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.mutants.breach import Edit, Mutant, OnSite, edit, proofs

_NOT_JUDGED_AGAIN = Edit("worker/intake.py", "        judge(entry)\n", "")
"""Removes the worker's check as well, which would refuse what the front should have masked."""

CARDS = (
    Mutant(
        "details-are-not-searched",
        "A card number in a name or an address is no longer detected, neither by the public server nor by the worker.",
        proofs("cards.masked", "cards.filed"),
        (
            Edit(
                "core/contact_details.py",
                "    return mask(text) if len(text) <= 2 * LONGEST[category] else text\n",
                "    return text\n",
            ),
            _NOT_JUDGED_AGAIN,
        ),
    ),
    Mutant(
        "mask-keeps-the-first-six",
        "Of a card number, the first six digits, which identify the bank, are kept as well.",
        proofs("cards.masked", "cards.filed"),
        edit(
            "core/text/card_numbers.py",
            "pieces += [text[position : hit.start], MASK, hit.last_four]",
            "pieces += [text[position : hit.start], text[hit.start : hit.start + 7], MASK, hit.last_four]",
        ),
    ),
    Mutant(
        "message-is-sealed-as-typed",
        "What is shown again is masked, but what is encrypted is not, and the worker stores it.",
        proofs("cards.filed"),
        (
            Edit(
                "front/forms/fields.py",
                "        try:\n            checked = _check(category, texts[category], form)\n",
                "        text = texts[category]\n"
                "        if category is Category.MESSAGE:\n"
                '            text = typed.get(category, "").replace("\\r", "").strip()\n'
                "        try:\n            checked = _check(category, text, form)\n",
            ),
            _NOT_JUDGED_AGAIN,
        ),
    ),
    Mutant(
        "card-number-kept-in-an-error",
        "A form with an error is written to the log, to see what people get wrong.",
        proofs("cards.nowhere"),
        edit(
            "front/views/form_submission.py",
            "    def _mend(self, problems: dict[Category, str]) -> Response:\n",
            "    def _mend(self, problems: dict[Category, str]) -> Response:\n"
            "        print('refused', self._typed, file=__import__('sys').stderr, flush=True)\n",
        ),
        may=proofs("visits.log"),  # a number in hexadecimal digits could be a visitor's hash
    ),
    Mutant(
        "card-number-in-a-lost-address",
        "URLs that do not exist are written to the log.",
        proofs("cards.nowhere"),
        edit(
            "front/app.py",
            "    if not allowed:\n",
            "    if not allowed:\n        print('404', scope['path'], file=__import__('sys').stderr, flush=True)\n",
        ),
    ),
    Mutant(
        "notice-with-a-card-is-taken",
        "What is sent to the address for the card company's notices is stored unsearched.",
        proofs("cards.nowhere"),
        (
            Edit("front/views/shop.py", "    if has_card_number(content):", "    if False:"),
            Edit("shop/entry.py", "        if has_card_number(self.notice):\n", "        if False:\n"),
        ),
    ),
    Mutant(
        "card-number-of-a-notice-in-the-log",
        "A notice that is refused because of a card number is written to the log.",
        proofs("cards.nowhere"),
        edit(
            "front/views/shop.py",
            "        tell(LogEvent.CARD_NUMBER_IN_NOTICE)\n",
            "        tell(LogEvent.CARD_NUMBER_IN_NOTICE)\n"
            "        print('refused', content, file=__import__('sys').stderr, flush=True)\n",
        ),
    ),
)


def _edited_on_disk(site: OnSite) -> None:
    path = site.root / "policy.md"
    path.write_text(path.read_text().replace("What we use it for", "What it is good for"))
    _wait_for(site, "What it is good for")


def _one_more_version(site: OnSite) -> None:
    """Publish another version with the program's own code, which notifies the front."""
    path = site.root / "policy.md"
    path.write_text(path.read_text() + "\nOne sentence more.\n")
    code = "from troth.cli import main; main()"
    words = ["policy", "publish", "--said", "A sentence.", "--site", str(site.root)]
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, timeout=60)


def _wait_for(site: OnSite, words: str) -> None:
    until = time.monotonic() + 30
    while words not in urllib.request.urlopen(f"{site.front}/privacy").read().decode():
        assert time.monotonic() < until, "the worker did not publish the text"
        time.sleep(0.2)


def _text_rewritten(site: OnSite) -> None:
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None)) as database:
        database.execute("UPDATE policy_policyversion SET text = text || ' '")


def _history_rewritten(site: OnSite) -> None:
    """Rewrite all of it: text, digest, chain and file agree again, as if it had always been so."""
    site.prove("--light")
    path = site.root / "policy.md"
    text = path.read_text() + "\nIt was always so.\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text)
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None)) as database:
        names = "published_at, tables, said, by"
        published, tables, *words = database.execute(f"SELECT {names} FROM policy_policyversion").fetchone()
        at = datetime.fromisoformat(published).replace(tzinfo=UTC).isoformat()
        chain = json.dumps(["", 1, at, digest, json.loads(tables), *words], sort_keys=True)
        link = hashlib.sha256(chain.encode()).hexdigest()
        database.execute("UPDATE policy_policyversion SET text = ?, digest = ?, link = ?", (text, digest, link))
    _wait_for(site, digest)


def _receipt_of_four_years_ago(site: OnSite) -> None:
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None)) as database:
        at = (datetime.now(UTC) - timedelta(days=4 * 365)).replace(tzinfo=None).isoformat(" ")
        database.execute(
            "INSERT INTO vault_erasure (id, asked_by, asked_at, done_at, receipt) VALUES (?, 'person', ?, ?, '')",
            (uuid4().hex, at, at),
        )


POLICY = (
    Mutant(
        "policy-edited-on-disk",
        "Someone edits policy.md, and visitors read the change although it was not published.",
        proofs("policy.words"),
        edit(
            "policy/html.py",
            "text.html(text.parse(version.text), dress)",
            "text.html(text.read(__import__('django.conf').conf.settings.TROTH_SITE.policy_copy), dress)",
        ),
        on_site=_edited_on_disk,
    ),
    Mutant(
        "page-stays-at-the-first-version",
        "The page keeps showing the first version, whatever was published since.",
        proofs("policy.page"),
        edit(
            "policy/versions.py",
            'order_by("-number").first()\n    if newest is not None:\n        return newest',
            'order_by("number").first()\n    if newest is not None:\n        return newest',
        ),
        on_site=_one_more_version,
        may=proofs("policy.words"),
    ),
    Mutant(
        "version-altered",
        "The text of a published version is changed in the database.",
        proofs("policy.versions"),
        on_site=_text_rewritten,
        may=proofs("policy.words", "policy.page"),
    ),
    Mutant(
        "history-rewritten",
        "A published version is replaced by another, with a matching hash, as if it had always been so.",
        proofs("policy.versions"),
        on_site=_history_rewritten,
    ),
    Mutant(
        "page-leaves-something-out",
        "The page omits a paragraph of the policy under the same version number.",
        proofs("policy.words"),
        edit(
            "policy/html.py",
            "    return _banner(stands, view) + text.html(text.parse(version.text), dress) + _foot(version, config)\n",
            "    shown = text.html(text.parse(version.text), dress)\n"
            "    shown = shown[: shown.find('<p>')] + shown[shown.find('</p>') + 4 :]\n"
            "    return _banner(stands, view) + shown + _foot(version, config)\n",
        ),
    ),
    Mutant(
        "kept-whatever-was-found",
        "The page says “kept” for promises that are broken.",
        proofs("policy.marks"),
        edit("policy/html.py", '    State.BROKEN: "Broken",\n', '    State.BROKEN: "Kept",\n'),
    ),
    Mutant(
        "vendors-page-says-kept",
        "Only the page embedded in the vendor's own website says “kept” for promises that are broken.",
        proofs("policy.marks"),
        edit(
            "policy/html.py",
            "    return _banner(stands, view) + text.html(text.parse(version.text), dress) + _foot(version, config)\n",
            "    made = _banner(stands, view) + text.html(text.parse(version.text), dress) + "
            "_foot(version, config)\n"
            "    return made.replace('mark broken', 'mark kept').replace('>Broken', '>Kept') if view.lower else made\n",
        ),
    ),
    Mutant(
        "stale-page-is-the-fresh-one",
        "After a day without a run, the page shows the old results as if they were current.",
        proofs("policy.marks"),
        edit(
            "policy/publish.py",
            "        stale=page(stale, stale=True),\n",
            "        stale=page(fresh, stale=False),\n",
        ),
    ),
    Mutant(
        "programs-are-told-it-is-fresh",
        "After a day without a run, the JSON document shows the old results as if they were current.",
        proofs("policy.marks"),
        edit(
            "policy/publish.py",
            "        stale_json=_json(version, stale, config, PolicyView(now, stale=True), None),\n",
            "        stale_json=_json(version, fresh, config, PolicyView(now), until),\n",
        ),
    ),
    Mutant(
        "table-says-less",
        "The table of what is collected omits what people write to us.",
        proofs("policy.tables"),
        edit(
            "policy/html.py",
            "        **data_map.fills(tables),\n",
            "        **{one: made.replace('Messages you send us', 'Other')\n"
            "           for one, made in data_map.fills(tables).items()},\n",
        ),
    ),
    Mutant(
        "nothing-goes-at-its-time",
        "Receipts of deletions are kept indefinitely.",
        proofs("policy.times"),
        edit(
            "policy/retention.py",
            "        sweep=lambda _config: delete_some(_ERASED.filter(done_at__lt=clock.now() - RECEIPTS_KEPT)),\n",
            "        sweep=lambda _config: 0,\n",
        ),
        on_site=_receipt_of_four_years_ago,
    ),
)

BREACHES = {"policy.current": POLICY, "cards.not-kept": CARDS}

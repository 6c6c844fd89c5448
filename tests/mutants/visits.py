"""Breaches of V1 and V2: a visitor is stored or can be recognised; figures are not what was counted."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing

from tests.mutants.breach import Edit, Mutant, OnSite, edit, proofs


def _table_of_visitors(site: OnSite) -> None:
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None)) as database:
        database.execute("CREATE TABLE audience_visitor (id INTEGER PRIMARY KEY, mark BLOB, seen_at TEXT)")


def _column_for_visitors(site: OnSite) -> None:
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None)) as database:
        database.execute("ALTER TABLE audience_day ADD COLUMN last_visitor BLOB")


def _front_ends(site: OnSite) -> None:
    """Stop the front while a visitor is on the site, as each restart does, and wait until it is back."""
    site.prove()

    def front() -> dict[str, object]:
        told = json.loads((site.root / "data" / "house.json").read_text())
        return next(one for one in told["processes"] if one["name"].startswith("front"))

    before = front()["pid"]
    os.kill(int(str(before)), signal.SIGTERM)
    until = time.monotonic() + 30
    while front()["pid"] == before or not front()["up"]:
        assert time.monotonic() < until, "the front did not come back"
        time.sleep(0.2)


def _pages_are_known(site: OnSite) -> None:
    """Wait until the fronts know the demo's pages."""
    until = time.monotonic() + 30
    while b"/products.html" not in (site.root / "public" / "current" / "front.msgpack").read_bytes():
        assert time.monotonic() < until, "the worker did not publish the pages"
        time.sleep(0.2)


AGGREGATE = (
    Mutant(
        "visits-in-the-fronts-log",
        "The public server logs each hit that it counts: address, user agent and page.",
        proofs("visits.nowhere"),
        edit(
            "front/hits/endpoint.py",
            "            await self._counting.count(await self._seen(scope, receive, snapshot))\n",
            "            import sys\n"
            "            seen = await self._seen(scope, receive, snapshot)\n"
            "            print(seen.address, seen.agent, seen.hit.url, file=sys.stderr, flush=True)\n"
            "            await self._counting.count(seen)\n",
        ),
        may=proofs("visits.rows"),
    ),
    Mutant(
        "session-map-in-the-frames",
        "The list of current visitors is handed over with the totals, so that it survives a restart.",
        proofs("visits.spool"),
        (
            Edit(
                "audience/counting/counter.py",
                "            return None\n        batch = GroupCommit(",
                "            return None\n        for visitor, visit in self._visits._visits.items():\n"
                "            self._sums.add(Cell(Dim.CHANNEL, f'{visitor.hex()} {visit.page}'[:190]), bounces=1)\n"
                "        batch = GroupCommit(",
            ),
        ),
        may=proofs("visits.rows", "popular.counted", "visits.asked"),
    ),
    Mutant(
        "session-map-in-the-log-at-shutdown",
        "On shutdown, the public server logs who was on the site, so that nothing is lost.",
        proofs("visits.log"),
        edit(
            "front/hits/counting.py",
            "        finally:\n            tidying.cancel()\n",
            "        finally:\n            tidying.cancel()\n            import sys\n"
            "            here = [each for one in self._counters() for each in one._visits._visits.items()]\n"
            "            print({one.hex(): visit.page for one, visit in here}, file=sys.stderr, flush=True)\n",
        ),
        on_site=_front_ends,
    ),
    Mutant(
        "register-on-each-hit",
        "A register is sent with each hit, whether it rose or not, which reveals that a visitor came back.",
        proofs("visits.spool"),
        edit(
            "audience/counting/registers.py",
            "            if sketch.raised(index, rank):\n",
            "            if sketch.raised(index, rank) or True:\n",
        ),
    ),
    Mutant(
        "key-of-the-day-on-disk",
        "The supervisor stores the daily key, so that a visitor is still recognised after a restart.",
        proofs("visits.files"),
        edit(
            "supervisor/supervisor.py",
            "        self._days = Days(self.config.audience.timezone)\n",
            "        self._days = Days(self.config.audience.timezone)\n"
            "        (self.site.data / 'day-key').write_bytes(bytes(self._days._key))\n",
        ),
    ),
    Mutant(
        "agent-kept-as-a-name",
        "The device is recorded as the full user agent.",
        proofs("visits.nowhere", "visits.spool"),
        edit(
            "audience/counting/counted_hit.py",
            "        Dim.DEVICE: agent.device,\n",
            "        Dim.DEVICE: received.agent[:190],\n",
        ),
        may=proofs("popular.counted", "contact.traces"),
    ),
    Mutant(
        "moment-of-each-hit-kept",
        "Each frame of visit data that is stored also gets a row of its own.",
        proofs("visits.rows"),
        edit(
            "worker/intake.py",
            "    return envelope.came.entry.purpose is not None\n",
            "    return envelope.came.entry is not None\n",
        ),
    ),
    Mutant(
        "line-for-each-hit",
        "The worker's log says how many frames of visit data were stored, and when.",
        proofs("visits.rows"),
        edit("audience/services.py", "    return Counter()\n", "    return Counter({Count.FILED: len(arrivals)})\n"),
    ),
    Mutant(
        "commits-of-visits-kept",
        "SQLite's write-ahead log is cut only when it is long, so that the disk has less to do.",
        proofs("visits.rows"),
        edit(
            "worker/timers.py",
            '    Timer("log_cut", 5, cut_log),  # after the others, so that it has what they wrote\n',
            "",
        ),
    ),
    Mutant(
        "visitors-in-a-field-of-the-frame",
        "The public server sends, in an extra field, which visitors its counts are about.",
        proofs("visits.spool"),
        (
            Edit(
                "audience/counting/commit.py",
                "    fresh: bool = False\n",
                "    fresh: bool = False\n    of: list[str] = []\n",
            ),
            Edit(
                "audience/counting/commit.py",
                "cells, risen, batch.minute, batch.fresh, batch.proof)",
                'cells, risen, batch.minute, batch.fresh, ["0123456789abcdef"], batch.proof)',
            ),
        ),
        may=proofs(
            "contact.declared",
            "policy.page",
            "policy.words",
            "policy.tables",
            "policy.marks",
            "shared.doors",
            "shared.pages",
        ),
    ),
    Mutant(
        "frames-tell-their-size",
        "Frames of counts are not padded, so their size shows how much was in a hit.",
        proofs("visits.spool"),
        edit("audience/counting/commit.py", ' + b"\\x80" + bytes(-(len(data) + 1) % _BLOCK)', ' + b"\\x80"'),
    ),
    Mutant(
        "version-written-at-first-sight",
        "The version reported by the vendor's program is stored unchecked, whatever it contains.",
        proofs("visits.nowhere", "visits.spool", "popular.counted"),
        edit(
            "audience/counting/counter.py",
            "        if version == OTHER:\n",
            "        version = counted.about[Dim.PRODUCT.code]\n        if version == OTHER:\n",
        ),
    ),
    Mutant(
        "e-mail-in-an-address-not-masked",
        "An email address in a page's URL is stored unmasked once several visitors used the same link.",
        proofs("visits.nowhere", "visits.spool"),
        edit("audience/counting/page_names.py", "    if _MAY_BE_EMAIL.search(text):", "    if False:"),
    ),
    Mutant(
        "path-written-at-its-first-visitor",
        "A path, a link or a campaign is stored as soon as one visitor brings it.",
        proofs("visits.nowhere", "visits.spool"),
        edit("audience/counting/name_threshold.py", "        if len(bringers) >= self._k:\n", "        if bringers:\n"),
        may=proofs("popular.counted", "visits.rows"),
    ),
    Mutant(
        "global-privacy-control-ignored",
        "Visitors who send Global Privacy Control are counted like anyone else.",
        proofs("visits.asked"),
        edit("front/hits/endpoint.py", "any(choices.told(headers)),", "choices.told(headers).own,"),
    ),
    Mutant(
        "choice-ignored",
        "Visitors who opted out are counted like anyone else.",
        proofs("visits.asked"),
        edit("front/hits/endpoint.py", "any(choices.told(headers)),", "choices.told(headers).signal,"),
    ),
    Mutant(
        "choice-is-of-another-path",
        "The opt-out is stored for the page where it is made, and never sent with a hit.",
        proofs("visits.asked"),
        edit(
            "front/views/choices.py",
            '    path = snapshot.prefix or "/"\n',
            '    path = snapshot.path("privacy/choices")\n',
        ),
    ),
    Mutant(
        "choice-is-refused-by-browsers",
        "The opt-out cookie is set in a way that browsers refuse.",
        proofs("visits.asked"),
        edit("front/views/choices.py", '"samesite": "none" if crosses else "lax"}', '"samesite": "none"}'),
    ),
    Mutant(
        "choice-is-of-another-site",
        "The opt-out cookie is set for another site.",
        proofs("visits.asked"),
        edit(
            "front/views/choices.py",
            "        answer.set_cookie(_COOKIE, _VALUE, max_age=_SECONDS, path=path, **same)",
            '        answer.set_cookie(_COOKIE, _VALUE, max_age=_SECONDS, path=path, domain="example.org", **same)',
        ),
    ),
    Mutant(
        "who-asked-is-counted-by-page",
        "For visitors who opted out, the page they viewed is stored.",
        proofs("visits.asked"),
        (
            Edit(
                "audience/counting/counter.py",
                "import OTHER\n",
                "import OTHER, page\n",
            ),
            Edit(
                "audience/counting/counter.py",
                'Cell(Dim.ASKED, "") if counted == ASKED',
                "Cell(Dim.ASKED, page(received.hit.url)) if counted == ASKED",
            ),
        ),
        may=proofs("visits.spool", "visits.nowhere"),
    ),
    Mutant(
        "hit-sets-a-cookie",
        "The response to a hit sets a cookie that identifies a visitor for a year.",
        proofs("visits.stored"),
        edit(
            "front/hits/endpoint.py",
            "    headers = [*about, *more, *snapshot.hit_headers]\n",
            "    mark = b'v=' + __import__('os').urandom(8).hex().encode() + b'; Max-Age=31536000'\n"
            "    headers = [*about, *more, *snapshot.hit_headers, (b'set-cookie', mark)]\n",
        ),
    ),
    Mutant(
        "script-keeps-a-number",
        "The script keeps a number in the browser's storage and sends it with each hit.",
        proofs("visits.stored"),
        edit(
            "audience/t.js",
            "  look()\n  const first = key()\n",
            "  look()\n  localStorage.v ||= Math.random()\n  const first = key()\n",
        ),
    ),
    Mutant(
        "table-of-visitors",
        "The database has a table with a row for each visitor.",
        proofs("visits.tables"),
        on_site=_table_of_visitors,
    ),
    Mutant(
        "column-that-tells-visitors-apart",
        "A table of totals has a column for the last visitor.",
        proofs("visits.tables"),
        on_site=_column_for_visitors,
    ),
)

POPULAR = (
    Mutant(
        "counts-dropped-in-the-fold",
        "Exit pages are dropped when counts are added up.",
        proofs("popular.counted"),
        edit(
            "audience/storage/fold.py",
            "        kind = dim * _BY + by + 1\n",
            "        kind = dim * _BY + by + 1\n        if dim == Dim.EXIT.code:\n            continue\n",
        ),
    ),
    Mutant(
        "sums-counted-twice",
        "Daily totals are added twice.",
        proofs("popular.counted"),
        edit(
            "audience/storage/fold.py",
            "        _upsert(Day._meta.db_table, _KEY, _SUMS, _rows(days))\n",
            "        for _ in range(2):\n            _upsert(Day._meta.db_table, _KEY, _SUMS, _rows(days))\n",
        ),
    ),
    Mutant(
        "steps-are-not-counted",
        "Page flow is shown but never counted.",
        proofs("popular.counted"),
        edit(
            "audience/counting/visits.py",
            "            Increment([Cell(Dim.STEP, before.page, Dim.STEP, page)], 1, 0, 0, 0),\n",
            "",
        ),
        on_site=_pages_are_known,
    ),
    Mutant(
        "a-panel-is-never-counted",
        "Screen sizes are shown but never counted.",
        proofs("popular.counted"),
        edit(
            "audience/counting/counted_hit.py",
            "        Dim.SCREEN: screen(received.hit.width),\n",
            '        Dim.SCREEN: "",\n',
        ),
    ),
    Mutant(
        "views-counted-twice",
        "Each page view counts as two.",
        proofs("popular.counted"),
        edit(
            "audience/counting/visits.py",
            "        Increment(after.alone + after.together, 1, 0, 0, 0),\n",
            "        Increment(after.alone + after.together, 2, 0, 0, 0),\n",
        ),
        may=proofs("visits.spool", "visits.asked", "popular.shown"),
    ),
    Mutant(
        "robots-are-visitors",
        "Bots that identify themselves are counted like people.",
        proofs("popular.counted"),
        edit("audience/counting/user_agents.py", '        return Agent(dropped="bot")\n', "        pass\n"),
        may=proofs("visits.spool"),
    ),
    Mutant(
        "every-visit-bounces",
        "A visit that continues is still counted as a bounce.",
        proofs("popular.counted"),
        edit(
            "audience/counting/visits.py",
            "        added.append(Increment(_entry_cells(before), 0, 0, -1, 0))\n",
            "        pass\n",
        ),
    ),
    Mutant(
        "time-is-not-counted",
        "The time spent on a page is received but not counted.",
        proofs("popular.counted"),
        edit(
            "audience/counting/visits.py",
            "    seconds = after.stayed - before.stayed + after.stayed_before - before.stayed_before\n",
            "    seconds = 0\n",
        ),
    ),
    Mutant(
        "figures-are-painted",
        "Admin shows more views of each page than were counted.",
        proofs("popular.shown"),
        edit(
            "audience/queries/queries.py",
            "    rows = top_sums(question, spans(query.period), excluded, limit=query.limit + 1, like=query.search)\n",
            "    rows = top_sums(question, spans(query.period), excluded, limit=query.limit + 1, like=query.search)\n"
            "    rows = [(name, replace(one, views=one.views * 2, visits=one.visits * 2)) for name, one in rows]\n",
        ),
    ),
)

BREACHES = {"visitors.aggregate": AGGREGATE, "visitors.popular": POPULAR}

"""How fast server logs are taken in, whole: looked through, counted, folded into SQLite.

    python -m bench.logs [lines]

The log is invented: 20 days, of 100 lines 52 pictures and scripts, 30 views by people, 12 bots, 3 pages that are not
there, 3 other requests; pages, sources and agents as uneven as they are in life. Beside the rate stands that at which
the same core reads and splits the lines and does nothing else, and what it would be if every line were a view. Prints
one JSON line.
"""

import json
import random
import resource
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import crowd
from troth.audience.imports import log_files, log_formats
from troth.operate import create_site, site_session

GOAL = 25_000
DAYS = 20
_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_BROWSERS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
    for version in range(120, 142)
] + [
    f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0" for version in range(110, 144)
]
_BOTS = [f"Mozilla/5.0 (compatible; Examplebot/{n}.0; +http://www.example.org/bot.html)" for n in range(20)]
_FROM = ["-"] * 5 + ["https://www.google.com/", "https://www.bing.com/", "https://news.ycombinator.com/"]
_ASSETS = ["/style.css", "/app.js", "/logo.svg", "/shot.png", "/font.woff2", "/feed.xml"]


def written(path: Path, lines: int, *, views_only: bool = False) -> None:
    """Invent a log."""
    chance = random.Random(1)
    pages = [f"/docs/page-{n}" for n in range(500)]
    weights = [1 / (n + 1) for n in range(500)]
    people = [(f"198.51.{n >> 8 & 255}.{n & 255}", chance.choice(_BROWSERS)) for n in range(20_000)]
    step = timedelta(days=DAYS) / lines
    drawn = chance.choices(pages, weights, k=lines)
    with path.open("w") as file:
        for number in range(lines):
            at = _NOW - timedelta(days=DAYS + 1) + step * number
            address, agent = people[int(chance.paretovariate(0.5)) % 20_000]
            kind = 60 if views_only else chance.randrange(100)
            target, status = drawn[number], 200
            if kind < 52:
                target = chance.choice(_ASSETS)
            elif 82 <= kind < 94:
                agent = chance.choice(_BOTS)
            elif 94 <= kind < 97:
                target, status = f"/old/{chance.randrange(3_000)}", 404
            elif kind >= 97:
                status = 301
            file.write(
                f'{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {target} HTTP/2.0" {status} 5120 '
                f'"{chance.choice(_FROM)}" "{agent}"\n'
            )


def parsed_alone(path: Path) -> float:
    """Lines a second that are read and split, with nothing around it."""
    begun, lines = time.process_time(), 0
    parse = log_formats.FORMATS["combined"].parse
    with log_files.opened(path, packed=False) as file:
        for line in log_files.lines_of(file):
            assert isinstance(line, bytes)
            parse(line)
            lines += 1
    return lines / (time.process_time() - begun)


def taken_in(path: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds, seconds on a core, and what was counted."""
    from troth.audience.counting.counted_hit import SiteFacts
    from troth.audience.imports import days, server_logs

    ground = days.ImportContext(
        SiteFacts(frozenset({"example.com"})),
        "example.com",
        "",
        days.ZoneInfo("Europe/Berlin"),
        3,
        25,
        uuid.uuid4().bytes,
        _NOW,
    )
    begun, computed = time.perf_counter(), time.process_time()
    job = server_logs.examine([path], ground, also=True, tell=lambda *_: None)
    looked = time.perf_counter() - begun
    done = server_logs.carry_out(job, ground, dry_run=False, tell=lambda *_: None)
    took, computed = time.perf_counter() - begun, time.process_time() - computed
    return took, computed, {"looking_ms": round(looked * 1000), **done.counts}


def main(lines: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "site"
        create_site.init(root, name="Example Software", url="http://127.0.0.1:18399")
        site_session.in_site(root)
        mixed, views = Path(folder) / "mixed.log", Path(folder) / "views.log"
        written(mixed, lines)
        written(views, lines // 4, views_only=True)
        before = parsed_alone(mixed)
        took, computed, counts = taken_in(mixed)
        took_views, computed_views, _ = taken_in(views)
        alone = (before + parsed_alone(mixed)) / 2
        print(
            json.dumps(
                {
                    "bench": "logs",
                    "lines": lines,
                    "goal_lines_per_second": GOAL,
                    "lines_per_second": round(lines / took),
                    "lines_per_second_on_a_core": round(lines / computed),
                    "parsed_alone_per_second": round(alone),
                    "ratio_to_parsing_alone": round(lines / computed / alone, 3),
                    "all_views_per_second": round(lines // 4 / took_views),
                    "all_views_per_second_on_a_core": round(lines // 4 / computed_views),
                    "counts": counts,
                    "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    "load": crowd.load(),
                }
            )
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)

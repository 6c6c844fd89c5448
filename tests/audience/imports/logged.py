"""Invented lines of server logs, in each form that is read."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.audience.user_agents import CHROME
from troth.audience.counting.counted_hit import SiteFacts
from troth.audience.imports import days, server_logs
from troth.audience.imports.days import ImportOutcome

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def combined(
    target="/docs",
    at=DAY,
    *,
    address="203.0.113.7",
    status=200,
    referrer="-",
    agent=CHROME,
    method="GET",
    before="",
) -> str:
    return (
        f'{before}{address} - - [{at:%d/%b/%Y:%H:%M:%S %z}] "{method} {target} HTTP/1.1" {status} 512 '
        f'"{referrer}" "{agent}"'
    )


def caddy(
    target="/docs", at=DAY, *, address="203.0.113.7", status=200, agent=CHROME, host="www.example.com", **headers
):
    asked = {
        "remote_ip": "192.0.2.1",
        "client_ip": address,
        "method": "GET",
        "host": host,
        "uri": target,
        "headers": {"User-Agent": [agent], **{name.replace("_", "-"): [value] for name, value in headers.items()}},
        "tls": {"resumed": False, "version": 772},
    }
    return json.dumps(
        {
            "level": "info",
            "ts": at.timestamp() + 0.25,
            "logger": "http.log.access.log0",
            "msg": "handled request",
            "request": asked,
            "status": status,
            "size": 512,
        }
    )


def nginx(target="/docs", at=DAY, *, address="203.0.113.7", status=200, agent=CHROME, **more):
    return json.dumps(
        {
            "time_iso8601": at.isoformat(),
            "remote_addr": address,
            "request_method": "GET",
            "request_uri": target,
            "status": str(status),
            "http_referer": "-",
            "http_user_agent": agent,
            **more,
        }
    )


def ground(*, zone="UTC", now=NOW, at_least=1, **more) -> days.ImportContext:
    site = SiteFacts(frozenset({"example.com"}), events=frozenset({"trial"}))
    return days.ImportContext(site, "example.com", "", ZoneInfo(zone), at_least, 25, b"k" * 16, now, **more)


def log(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def take(*paths: Path, on=None, also=False, dry_run=False, form="") -> ImportOutcome:
    """Look through, and take in what is planned."""
    on = on or ground()
    job = server_logs.examine(paths, on, form, also=also, tell=_nobody)
    return server_logs.carry_out(job, on, dry_run=dry_run, tell=_nobody)


def looked(*paths: Path, on=None, also=False, form="") -> server_logs.ExaminedLogs:
    return server_logs.examine(paths, on or ground(), form, also=also, tell=_nobody)


def days_later(days: float, at=DAY) -> datetime:
    return at + timedelta(days=days)


def _nobody(*_) -> None:
    """Nobody is told."""

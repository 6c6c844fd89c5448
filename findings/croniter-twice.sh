#!/usr/bin/env bash
# croniter 7.0.0: a daily time comes twice on the night when clocks go back, though a time zone is given.
#
# A good guess: with a start that knows its zone, as its README asks for, "30 2 * * *" is once a day, as the manual of
# Debian's cron promises for jobs with a fixed hour. Seen: 02:30 in summer time and, an hour later, 02:30 in winter time. A
# newsletter or a nightly bill goes out twice, one night a year. Remember the last day it ran, or choose an hour that is
# never repeated.
#
# Seen on stdout:  2026-10-24T02:30:00+02:00 2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 2026-10-26T02:30:00+01:00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install croniter==7.0.0 python-dateutil==4.0.0 tzdata==2026.6
"$folder/venv/bin/python" - <<'EOF'
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

start = datetime(2026, 10, 23, 12, tzinfo=ZoneInfo("Europe/Berlin"))
times = croniter("30 2 * * *", start)
seen = " ".join(times.get_next(datetime).isoformat() for _ in range(4))
print(seen)
twice = "2026-10-24T02:30:00+02:00 2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 2026-10-26T02:30:00+01:00"
assert seen == twice, seen
EOF
echo "as described"

#!/usr/bin/env bash
# tdigest 0.5.2.2: a low percentile of small whole numbers lies below the least of them, even below zero.
#
# A good guess: a percentile is between the least and the greatest value, and rises with p. Seen: percentile 0 is the least
# value, but 5, 10 and 25 are far lower where many values are equal. Equal values become one heavy point, and the line
# through it and the next one is drawn past the end. Seconds on a page or milliseconds of loading, rounded as they mostly are,
# come out negative. Clamp to the least and greatest value, or keep counts per value where there are few.
#
# Seen on stdout:  nine times 200, once 900: percentile 0 is 200, 5 is -360, 10 is -290, 25 is -80, 50 is 270
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install tdigest==0.5.2.2 accumulation_tree==0.6.4 pyudorandom==1.0.0
"$folder/venv/bin/python" - <<'EOF'
from tdigest import TDigest

digest = TDigest()
digest.batch_update([200] * 9 + [900])
seen = {p: round(digest.percentile(p)) for p in (0, 5, 10, 25, 50)}
print("nine times 200, once 900: percentile", ", ".join(f"{p} is {value}" for p, value in seen.items()))
assert seen == {0: 200, 5: -360, 10: -290, 25: -80, 50: 270}, seen
EOF
echo "as described"

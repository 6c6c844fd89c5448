#!/usr/bin/env bash
# sqlite-utils 4.2.1: `insert --csv` makes numbers of phone numbers, postcodes and codes, and what they looked like is lost.
#
# A good guess: a CSV's columns are text until said otherwise, as they were up to version 3. Seen: since 4.0 types are
# detected, and a leading zero or plus is no obstacle: 00501 becomes 501, +493023125042 and 00493023125042 become one number, and a
# voucher 1e5 becomes 100000.0. Nothing warns, and the CSV that is written again is another one. An export of people
# that is read in this way no longer holds what they gave. Say `--no-detect-types`, or `--type COLUMN text`.
#
# Seen on stdout:  [[1, 493023125042, 501, 100000.0], [2, 493023125042, 1234, 7.0]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install sqlite-utils==4.2.1
cd "$folder"
cat >people.csv <<'EOF'
id,phone,postcode,voucher
1,+493023125042,00501,1e5
2,00493023125042,01234,007
EOF
tool="$folder/venv/bin/sqlite-utils"
"$tool" insert new.db people people.csv --csv
"$tool" rows new.db people --arrays | tr -d '\n' | sed 's/  */ /g' | tee seen
echo
grep -qxF '[[1, 493023125042, 501, 100000.0], [2, 493023125042, 1234, 7.0]]' seen || { echo "it is read otherwise now" >&2 && exit 1; }
"$tool" insert old.db people people.csv --csv --no-detect-types
"$tool" rows old.db people --csv | tr -d '\r' | cmp - people.csv
echo "as described"

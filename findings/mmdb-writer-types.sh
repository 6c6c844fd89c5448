#!/usr/bin/env bash
# mmdb_writer 0.2.7: after a first `true`, each 1 in the same file is written as `true`, and the other way round.
#
# A good guess: a value is stored with the type it was given. Seen: equal values share one place in the file, and Python
# holds True, 1 and 1.0 for equal (so too False, 0 and 0.0), so that whichever came first decides, even in another network's
# record. `int_type` and `float_type` change nothing. A table of countries with a flag and a count gives `true` for the count
# to each reader that looks at types, and a changed order of rows changes the types. Wrap the values in `MmdbI32`,
# `MmdbBoolean` and so on, or keep flags and figures as text.
#
# Seen on stdout:  [{'count': True}, {'vpn': True}] with the flag first, [{'count': 1}, {'vpn': 1}] with the count first
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install mmdb_writer==0.2.7 netaddr==1.3.0 maxminddb==3.2.0
cd "$folder"
"$folder/venv/bin/python" - <<'EOF'
import maxminddb
from mmdb_writer import MMDBWriter
from netaddr import IPSet

COUNT, FLAG = "192.0.2.0/24", "198.51.100.0/24"


def read(*rows):
    writer = MMDBWriter(4, database_type="Example")
    for network, record in rows:
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file("example.mmdb")
    with maxminddb.open_database("example.mmdb") as reader:
        return [reader.get("192.0.2.1"), reader.get("198.51.100.1")]


flag_first = read((FLAG, {"vpn": True}), (COUNT, {"count": 1}))
count_first = read((COUNT, {"count": 1}), (FLAG, {"vpn": True}))
print(f"{flag_first} with the flag first, {count_first} with the count first")
assert repr(flag_first) == "[{'count': True}, {'vpn': True}]", flag_first
assert repr(count_first) == "[{'count': 1}, {'vpn': 1}]", count_first
share = read((COUNT, {"n": 2, "share": 2.0}), (FLAG, {"share": 2.5}))
assert repr(share) == "[{'n': 2, 'share': 2}, {'share': 2.5}]", share
EOF
echo "as described"

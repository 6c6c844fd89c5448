#!/usr/bin/env bash
# mmdb_writer 0.2.7: a 1 beside a `true` is written as `true`, and 2.0 beside a 2 as a whole number.
#
# A good guess: a value is stored with the type it was given. Seen: the writer stores equal values once, and Python holds
# True, 1 and 1.0 for equal, so that the first one that is written decides the type of all the others in the file, also in
# another network's record. `int_type` and `float_type` are settings for whole files and do not help. In a table of
# networks with a flag and a count, the count comes back as `true`. Keep flags or figures as text, and read a file back
# after writing it.
#
# Seen on stdout:  {'eu': True, 'n': True} {'n': 2, 'f': 2}
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


def read_back(record):
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Example")
    writer.insert_network(IPSet(["1.0.0.0/16"]), record)
    writer.to_db_file("example.mmdb")
    with maxminddb.open_database("example.mmdb") as database:
        return database.get("1.0.0.1")


flag, figures = read_back({"eu": True, "n": 1}), read_back({"n": 2, "f": 2.0})
print(flag, figures)
assert repr(flag) == "{'eu': True, 'n': True}", flag
assert repr(figures) == "{'n': 2, 'f': 2}", figures
EOF

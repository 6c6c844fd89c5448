#!/usr/bin/env bash
# pip-audit 2.10.1: packages that its database does not know do not count, not even where that is all of them.
#
# A good guess: a run that could look up nothing fails, or says so. Seen: exit code 0 and "No known vulnerabilities found";
# only the report lists each package with a `skip_reason` in the place of `version` and `vulns`. A mirror without the
# database, or a lock of private packages, looks like a clean one. `--strict` fails on any package that is skipped.
#
# Seen on stderr:  No known vulnerabilities found
# Seen on stdout:  {"dependencies": [{"name": "...", "skip_reason": "Dependency not found on PyPI and could not be audited: ..."}]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install pip-audit==2.10.1
echo "example-software-of-our-own==1.0" >"$folder/lock.txt" # as a lock names a package that is on no public index
ask=("$folder/venv/bin/pip-audit" --no-deps --disable-pip --progress-spinner=off --format=json --cache-dir "$folder/cache" -r "$folder/lock.txt")
"${ask[@]}" >"$folder/report.json" 2>"$folder/said" # exit code 0
grep -q "No known vulnerabilities found" "$folder/said"
grep -q '"skip_reason"' "$folder/report.json"
if grep -q '"vulns"' "$folder/report.json"; then echo "it was looked up after all" >&2 && exit 1; fi
if "${ask[@]}" --strict >/dev/null 2>&1; then echo "--strict let it pass" >&2 && exit 1; fi
echo "as described"

#!/usr/bin/env bash
# publicsuffix2 2.20191221: `get_sld` answers with a suffix, or with the end of an IP address, where it knows no domain.
#
# A good guess: it gives the domain that somebody registered, or None. Seen: for 192.0.2.7 it is "7"; for a name under an
# ending that is not in the list (a private "shop.internal") it is the bare ending, though the list's own last rule, "*",
# makes that name the domain; and for a name in Unicode it knows no endings in Unicode, only in their xn-- form. All such
# referrers are counted as one site. publicsuffixlist 1.1.2.20261023 gives the right name for the last two.
#
# Seen on stdout:  7, internal, 公司.cn
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install publicsuffix2==2.20191221 publicsuffixlist==1.1.2.20261023
PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" - <<'EOF'
from publicsuffix2 import get_sld
from publicsuffixlist import PublicSuffixList

hosts = ["192.0.2.7", "shop.internal", "www.example.公司.cn"]
seen = [get_sld(host) for host in hosts]
print(", ".join(map(str, seen)))
assert seen == ["7", "internal", "公司.cn"], seen
other = PublicSuffixList()
assert [other.privatesuffix(host) for host in hosts[1:]] == ["shop.internal", "example.公司.cn"]
assert get_sld("www.example.xn--55qx5d.cn") == "example.xn--55qx5d.cn"
EOF
echo "as described"

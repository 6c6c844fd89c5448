#!/usr/bin/env bash
# Babel 2.19.0 with py-moneyed 3.0: the amount shown in forints is not the amount that is counted.
#
# A good guess: what formats money and what counts its smallest units agree on the decimals. Seen: 1990.50 HUF is 199050
# hundredths for py-moneyed, as in ISO 4217, but its `format_money` asks Babel, whose data (CLDR) says how money is mostly
# written: without decimals. The receipt shows 1 990 Ft, half a forint less than what is counted; so too ALL, COP, IDR and ten
# more, and IQD, with three. `currency_digits=False` shows them all, or check that what is shown is read back as the same amount.
#
# Seen on stdout:  199050 hundredths are shown as 1 990 Ft
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install babel==2.19.0 py-moneyed==3.0
"$folder/venv/bin/python" - <<'EOF'
from babel.numbers import get_currency_precision
from moneyed import Money, format_money

price = Money("1990.50", "HUF")
shown = format_money(price, locale="hu_HU").replace("\N{NO-BREAK SPACE}", " ")
print(f"{price.get_amount_in_sub_unit()} hundredths are shown as {shown}")
assert price.get_amount_in_sub_unit() == 199050, price.get_amount_in_sub_unit()
assert shown == "1 990 Ft", shown
digits = {code: get_currency_precision(code) for code in ("ALL", "COP", "IDR", "IQD", "EUR", "CZK")}
assert digits == {"ALL": 0, "COP": 0, "IDR": 0, "IQD": 0, "EUR": 2, "CZK": 2}, digits
EOF
echo "as described"

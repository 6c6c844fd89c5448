#!/usr/bin/env bash
# stripe 16.1.0 (Python): what `to_dict` returns cannot be written as JSON, while the object itself prints as JSON.
#
# A good guess: an object of the API is what came as JSON, so its dictionary goes back into JSON. Seen: text fields that
# hold a decimal number (`unit_amount_decimal` of a price) are turned into `decimal.Decimal` when the object is built, and
# stay that in `to_dict()`; `str()` of the same object writes them as the text that came. Who keeps or signs a notice made from `to_dict()` gets a TypeError for prices, and none for objects
# without such a field. Parse the text of the answer yourself, or read single fields.
#
# Seen on stdout:  Decimal('4900.5') TypeError "unit_amount_decimal": "4900.5"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install stripe==16.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'EOF'
import json

import stripe

came = {"id": "price_1", "object": "price", "unit_amount": None, "unit_amount_decimal": "4900.5"}
price = stripe.Price.construct_from(came, "sk_test_1")
try:
    json.dumps(price.to_dict())
    written = "written"
except TypeError:
    written = "TypeError"
(printed,) = [line.strip() for line in str(price).splitlines() if "decimal" in line]
print(repr(price.to_dict()["unit_amount_decimal"]), written, printed)
assert repr(price.to_dict()["unit_amount_decimal"]) == "Decimal('4900.5')"
assert written == "TypeError" and printed == '"unit_amount_decimal": "4900.5"'
assert json.loads(str(price)) == came
EOF

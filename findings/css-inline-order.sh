#!/usr/bin/env bash
# css-inline 0.24.0: a property that is set again stays where it was first set, so that a shorthand in between wins.
#
# A good guess: inlined declarations stand in the order of the cascade. Seen: with rules of equal specificity, or in one
# rule, the value is replaced in place. `margin-top: 1px`, `margin: 0`, `margin-top: 9px` become `margin-top: 9px;margin: 0`:
# a browser that reads the sheet shows 9 pixels, the inlined email none. With rising specificity the order is right, which
# is why it is easily missed. Never mix a shorthand with its longhands in a sheet that is to be inlined.
#
# Seen on stdout:  <p style="margin-top: 9px;margin: 0;">
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install css-inline==0.24.0
"$folder/venv/bin/python" - <<'EOF'
import css_inline


def style(css, element='<p class="a" id="b">'):
    page = f"<style>{css}</style>{element}x</p>"
    inlined = css_inline.inline(page, load_remote_stylesheets=False)
    print(inlined.partition("<body>")[2].partition("x</p>")[0])
    return inlined.partition('style="')[2].partition('"')[0].replace(" ", "").rstrip(";")


assert style("p { margin-top: 1px } p { margin: 0 } p { margin-top: 9px }") == "margin-top:9px;margin:0"
assert style("p { margin-top: 1px; margin: 0; margin-top: 9px }") == "margin-top:9px;margin:0"
assert style("p { margin-top: 1px } .a { margin: 0 } #b { margin-top: 9px }") == "margin:0;margin-top:9px"  # right
EOF
echo "as described"

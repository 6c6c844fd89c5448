#!/usr/bin/env bash
# css-inline 0.24.0: rules with :is() or :where(), nested rules and those in @supports vanish, without an error.
#
# A good guess: what cannot be inlined stays in a style sheet, or is reported. Seen: they are neither at their elements nor in
# the page. `keep_at_rules=True` keeps @supports; nothing keeps the others but `keep_style_tags=True`, with all else.
# Compare computed styles before and after inlining in a browser, or use plain type and class selectors alone.
#
# Seen on stdout:  <html><head></head><body><h1>a</h1><p style="left: 1px;"><b>b</b></p></body></html>
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install css-inline==0.24.0
"$folder/venv/bin/python" - <<'EOF'
import css_inline

SHEET = """
:is(h1, h2) { color: red }
:where(h1) { top: 1px }
p { left: 1px; & b { color: blue } }
@supports (color: red) { h1 { right: 1px } }
"""
page = f"<style>{SHEET}</style><h1>a</h1><p><b>b</b></p>"
inlined = css_inline.inline(page, load_remote_stylesheets=False)
print(inlined)
assert inlined == '<html><head></head><body><h1>a</h1><p style="left: 1px;"><b>b</b></p></body></html>'
kept = css_inline.inline(page, load_remote_stylesheets=False, keep_at_rules=True)
assert "@supports" in kept and ":is" not in kept and "blue" not in kept
EOF
echo "as described"

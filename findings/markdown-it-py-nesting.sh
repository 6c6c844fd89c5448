#!/usr/bin/env bash
# markdown-it-py 4.3.0: with the "commonmark" preset, the tenth level of a list is left out of the page, without an error.
#
# A good guess: CommonMark has no limit, and a preset of that name has none either. Seen: it sets `maxNesting` to 20, a list and
# its item are two of them, and what is nested deeper is skipped: nine levels are shown, the words of the tenth are gone. So is a
# quote inside twenty quotes. The presets "default" and "js-default" set 100. Set `maxNesting` well above what you allow, and
# refuse a text whose tokens reach your own limit (`token.level`).
#
# Seen on stdout:  9 levels: whole; 10 levels: the last is missing
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install markdown-it-py==4.3.0
"$folder/venv/bin/python" - <<'EOF'
from markdown_it import MarkdownIt


def shows(levels, **options):
    text = "".join(f"{'  ' * level}- item {level + 1}\n" for level in range(levels))
    page = MarkdownIt("commonmark", options or None).render(text)
    return [f"item {level + 1}\n" in page or f"item {level + 1}<" in page for level in range(levels)]


assert shows(9) == [True] * 9
assert shows(10) == [True] * 9 + [False]
assert shows(10, maxNesting=100) == [True] * 10
print("9 levels: whole; 10 levels: the last is missing")
EOF
echo "as described"

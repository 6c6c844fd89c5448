"""What the script sends stands in docs/statistics-privacy.md, field by field, and nothing else does."""

import re
from pathlib import Path

from troth.audience.counting import hit
from troth.audience.counting.hit import HitKind

PAGE = Path("docs/statistics-privacy.md").read_text()
SCRIPT = Path("src/troth/audience/t.js").read_text()
BY_PROGRAMS = {"v", "y"}


def _table():
    """The rows below the heading: field, what, when."""
    section = PAGE.partition("## What the script sends")[2].partition("\n## ")[0]
    return {row[0]: row[1:] for row in re.findall(r"^\| `(\w)` \| (.*) \| (.*) \|$", section, re.MULTILINE)}, section


def _sent():
    """Each kind that the script sends, with the fields it hands over beside those of every hit."""
    calls = re.findall(r"send\(([^{]*?), \{ (.*?) \}\)", SCRIPT)
    kinds = {kind: fields for kinds, fields in calls for kind in re.findall(r"'(\w)'", kinds)}
    return {kind: set(re.findall(r"(?:^|, )(\w)(?=:|,|$)", fields)) for kind, fields in kinds.items()}


def test_each_field_of_a_hit_is_in_the_table_or_said_to_be_a_programs():
    rows, section = _table()
    assert rows.keys() == hit._FIELDS - BY_PROGRAMS
    assert all(f"`{field}`" in section.partition("Your own programs")[2] for field in BY_PROGRAMS)


def test_the_script_sends_each_field_when_the_table_says_so():
    rows, _ = _table()
    sent = _sent()
    assert sent.keys() == {kind.value for kind in HitKind} - {HitKind.PRODUCT}
    for field in ("r", "w", "s", "n"):
        assert {kind for kind, fields in sent.items() if field in fields} == set(re.findall(r"`(\w)`", rows[field][1]))
    assert set().union(*sent.values()) <= rows.keys()


def test_with_global_privacy_control_only_two_fields_are_sent():
    said, others = re.search(r"n\.globalPrivacyControl \? \{ (.*?) \} : \{ (.*?) \}", SCRIPT).groups()
    assert (said, others) == ("k, g: 1", "k, u: next, ...more")

"""On which line each key stands, whatever TOML is around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.config.lines import lines

TEXT = '''\
# a comment with [front] in it
top = 1

[front]
listen = "a # no comment, [mail]"   # listen = 2
text = """
[mail]
relay = 'no'
"""
raw = \'\'\'
sender = 1
\'\'\'
list = [
  "one", # two = 2
  'three = 3',
]
inline = { a = 1, b = { c = 2 } }
"quoted \\u0061" = 1
"dotted".key = 1
  [ mail ]
relay = "x"
[[many]]
one = 1
'''


def test_each_table_and_key_has_its_line():
    found = lines(TEXT)
    assert found == {
        ("top",): 2,
        ("front",): 4,
        ("front", "listen"): 5,
        ("front", "text"): 6,
        ("front", "raw"): 10,
        ("front", "list"): 13,
        ("front", "inline"): 17,
        ("front", "inline", "a"): 17,
        ("front", "inline", "b"): 17,
        ("front", "inline", "b", "c"): 17,
        ("front", "quoted a"): 18,
        ("front", "dotted"): 19,
        ("front", "dotted", "key"): 19,
        ("mail",): 20,
        ("mail", "relay"): 21,
        ("many",): 22,
        ("many 0",): 22,
        ("many 0", "one"): 23,
    }


def test_of_a_key_that_is_named_twice_the_first_counts():
    assert lines("a = 1\n[b]\na = 2\n[b]\na = 3\n") == {("a",): 1, ("b",): 2, ("b", "a"): 3}


def test_line_ends_of_windows_count_once():
    assert lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


values = st.sampled_from(
    ["1", "-2.5e3", '"a = 1"', "'[x]'", '"""\nk9 = 1\n"""', "'''\n[k9]\n'''", "[1,\n# k9 = 1\n2]", "{ z = 1 }", '"\\""']
)


@given(st.lists(st.tuples(values, st.integers(0, 3), st.sampled_from(["", " # [k9]"])), max_size=12))
def test_keys_are_found_whatever_values_stand_between_them(parts):
    text, wanted = "[s]\n", {}
    for number, (value, blank, comment) in enumerate(parts):
        text += "\n" * blank
        wanted["s", f"k{number}"] = text.count("\n") + 1
        text += f"k{number} = {value}{comment}\n"
    found = lines(text)
    assert {path: line for path, line in found.items() if path[-1] != "z" and len(path) == 2} == wanted


@given(st.text(st.sampled_from("[]{}\"'=.,#\\\n ab1\r\t"), max_size=60))
def test_any_text_is_scanned_to_its_end(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in lines(text).values())


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ['"', "'", '"""', "[", "{", "a.", "\\", "#", "[[a]]\n"])
def test_a_long_hostile_text_takes_no_long_time(piece):
    lines(piece * 2_000)

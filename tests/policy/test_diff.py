"""What changed between two versions: text and tables, line by line."""

from troth.policy import diff

TABLES = {"how_long": [["What", "How long"], ["A sign-up", "9 days"]]}


def between(old, new):
    return [str(one) for one in diff.between(old, new)]


def test_what_went_and_what_came_stand_with_a_line_around_them():
    old, new = list("abcdefgh"), list("abcXefgh")
    assert between(old, new) == ["  c", "- d", "+ X", "  e"]
    assert between(old, old) == []


def test_what_lies_between_two_changes_is_left_out():
    old = [str(number) for number in range(20)]
    new = ["x", *old[1:19], "y"]
    assert between(old, new) == ["- 0", "+ x", "  1", "…", "  18", "- 19", "+ y"]


def test_a_table_that_changed_is_a_change():
    other = {"how_long": [["What", "How long"], ["A sign-up", "10 days"]]}
    lines = between(diff.whole("Text.\n", TABLES), diff.whole("Text.\n", other))
    assert lines == ["  [How long we keep it]", "- A sign-up | 9 days", "+ A sign-up | 10 days"]


def test_for_visitors_the_marks_of_promises_are_left_out():
    text = "[We never\n[share](https://x.example) them.]{promise=a.b} See [here](https://x.example)."
    lines = diff.whole(text, {}, bare=True)
    assert lines == ["We never", "[share](https://x.example) them. See [here](https://x.example)."]


def test_as_a_page_nothing_in_it_is_markup():
    page = diff.as_html(diff.between(["<script>1</script>"], ["<b>2</b>"]))
    assert "<script>" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page and '<span class="heard">Removed: </span>' in page


def test_very_long_texts_are_told_apart_at_once():
    old, new = ["a"] * 4000, ["b"] * 4000
    assert len(diff.between(old, new)) == 8000

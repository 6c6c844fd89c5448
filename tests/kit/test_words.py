"""What stands between backticks in our sentences is code on a page."""

from troth.kit.templatetags.words import coded


def test_code_is_set_as_code_and_everything_is_escaped():
    assert coded("`troth doctor` says <more> of `a<b`.") == (
        "<code>troth doctor</code> says &lt;more&gt; of <code>a&lt;b</code>."
    )


def test_a_lone_backtick_stays():
    assert coded("a ` b") == "a ` b"

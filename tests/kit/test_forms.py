"""Every form of the console: a label above, a hint that is tied to its field, an error in words that is announced."""

from django import forms

from troth.kit.forms import Renderer


class Sample(forms.Form):
    """A form with what there is."""

    word = forms.CharField(label="A word", help_text="Any will do.")
    agreed = forms.BooleanField(label="Agreed")
    token = forms.CharField(widget=forms.HiddenInput())


def markup(**data):
    return str(Sample(data or None, renderer=Renderer()))


def test_label_and_hint_are_tied_to_their_field():
    page = markup()
    assert '<label for="id_word">A word</label>' in page
    assert 'id="id_word_helptext">Any will do.' in page
    assert 'aria-describedby="id_word_helptext"' in page


def test_an_error_is_said_announced_and_tied_to_its_field():
    page = markup(token="x")
    assert page.count('role="alert"') == 2
    assert 'id="id_word_error"' in page
    assert "id_word_error" in page.split('name="word"')[1].split(">")[0]
    assert 'aria-invalid="true"' in page


def test_what_was_typed_comes_back_escaped():
    page = markup(word='"><img src=x onerror=1>', token="x")
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_hidden_field_has_no_label():
    assert 'for="id_token"' not in markup()

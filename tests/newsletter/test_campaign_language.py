"""A campaign's language: declared in its HTML, followed by the footer, checked in the editor."""

import pytest

from troth.newsletter.campaigns import drafts
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign


@pytest.mark.parametrize(
    ("language", "word", "direction"),
    [("de", "Abmelden", "ltr"), ("pt-BR", "Cancelar subscrição", "ltr"), ("ar", "Unsubscribe", "rtl")],
)
def test_the_html_declares_it_and_the_footer_follows_where_its_words_are_known(written, language, word, direction):
    preview = drafts.preview(written(language=language))
    assert f'<html lang="{language}" dir="{direction}"' in preview.html
    assert f"{word}: " in preview.text


def test_it_is_saved_by_the_editor_which_refuses_what_is_no_tag(written, desk):
    draft = written()
    typed = {"subject": "Hallo", "markdown": "Text", "template": "plain", "revision": draft.revision}
    page = f"/newsletter/{draft.id}/save/"
    assert desk.post(page, typed | {"language": "no tag"}).status_code == 422
    desk.post(page, typed | {"language": "de"})
    assert Campaign.objects.get().language == "de"
    assert drafts.duplicate(draft.id).language == "de"


def test_a_language_that_is_too_long_is_refused(written):
    with pytest.raises(CampaignRefused, match="longer"):
        written(language="x" * 36)

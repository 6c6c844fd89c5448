"""The form of a template of transactional emails. Card numbers are masked in it (B2)."""

from typing import Any

from django import forms

from troth.core.text.card_numbers import mask
from troth.newsletter.campaigns.html_page import TEMPLATES
from troth.newsletter.campaigns.markdown import LARGEST
from troth.newsletter.models import MailTemplate
from troth.newsletter.transactional.templates import Words

_FIELDS = ("name", "subject", "markdown", "template", "language", "details_accepted")


class TemplateForm(forms.Form):
    """A template: a new one, or one that is changed."""

    name = forms.CharField(
        max_length=40,
        help_text="By which your program asks for it, such as order-shipped.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    subject = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}))
    markdown = forms.CharField(
        label="Text",
        max_length=LARGEST,
        strip=False,
        help_text="Markdown, with merge fields as in campaigns. A data field such as {{ data.number }} is what your "
        "program passes; with words after a bar, {{ data.town | you }}, it may be left out.",
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true", "dir": "auto"}),
    )
    template = forms.ChoiceField(label="Look", choices=[(name, name.capitalize()) for name in TEMPLATES])
    language = forms.CharField(
        max_length=35, help_text="Of the text: en, de, pt-BR.", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    details_accepted = forms.BooleanField(
        label="Details in the text may be sent to everybody",
        required=False,
        help_text="Only if the text contains somebody’s details on purpose, such as your own telephone number.",
    )

    def __init__(self, data: Any = None, *, template: MailTemplate | None = None) -> None:
        current = template or MailTemplate()
        super().__init__(data, initial={name: getattr(current, name) for name in _FIELDS})

    def clean_subject(self) -> str:
        """Return the subject as it is stored."""
        return mask(" ".join(self.cleaned_data["subject"].split()))

    def clean_markdown(self) -> str:
        """Return the text as it is stored, with newlines as line ends."""
        return mask(self.cleaned_data["markdown"].replace("\r\n", "\n").replace("\r", "\n"))

    def words(self) -> Words:
        """Return what to save."""
        return Words(**{name: self.cleaned_data[name] for name in _FIELDS})

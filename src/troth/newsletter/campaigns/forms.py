"""The forms about campaigns and topics, for operators. Card numbers are masked in all of them (B2)."""

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from troth.core.text.card_numbers import mask
from troth.core.text.language_tags import is_language
from troth.newsletter.campaigns import audience
from troth.newsletter.campaigns.footer_words import language_name
from troth.newsletter.campaigns.html_page import TEMPLATES
from troth.newsletter.campaigns.markdown import LARGEST
from troth.newsletter.models import Campaign, Topic

_NOT_IN_A_LINK = re.compile(r"[^a-z0-9._-]+")


class _Day(forms.DateInput):
    """A day, by the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _one_line(text: str) -> str:
    return mask(" ".join(text.split()))


class DraftForm(forms.Form):
    """A draft. `revision` is the one that the page showed."""

    subject = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    preheader = forms.CharField(
        label="Preheader",
        max_length=200,
        required=False,
        help_text="Most inboxes show it after the subject. Empty: they show the first words of the text.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    markdown = forms.CharField(
        label="Text",
        max_length=LARGEST,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "true", "dir": "auto"}),
        error_messages={"max_length": f"The text is longer than {LARGEST:,} characters. Shorten it."},
    )
    template = forms.ChoiceField(choices=[(name, name.capitalize()) for name in TEMPLATES])
    language = forms.CharField(
        max_length=35,
        required=False,
        help_text="Of the text: en, de, pt-BR. The footer’s words follow it, and are in English where Troth does not "
        "know them.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    topic = forms.ModelChoiceField(
        Topic.objects.none(),
        label="Send to",
        required=False,
        empty_label="All subscribers",
        error_messages={"invalid_choice": "This topic was archived or deleted. Choose another one."},
    )
    to_language = forms.ChoiceField(
        label="Only subscribers of this language",
        required=False,
        help_text="Known from the form they signed up with, or from the list they were imported from. People "
        "whose language is not known do not get it.",
    )
    signed_up_from = forms.DateField(label="Signed up from", required=False, widget=_Day())
    signed_up_until = forms.DateField(label="Signed up until", required=False, widget=_Day())
    public = forms.BooleanField(
        label="Publish in your website’s archive",
        required=False,
        help_text="Once it is sent, the archive and its RSS feed show it, without anybody’s details.",
    )
    link_name = forms.CharField(
        label="Campaign name in links",
        max_length=40,
        required=False,
        help_text="Added as utm_campaign to links to your own site, the same for every recipient: the statistics then "
        "count visits that came from this email. Empty: nothing is added.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "spring-news"}),
    )
    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput(attrs={"form": "draft"}))

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        super().__init__(data, initial={name: getattr(campaign, name) for name in self.base_fields})
        cast("forms.ModelChoiceField[Topic]", self.fields["topic"]).queryset = Topic.objects.filter(archived_at=None)
        tags = sorted({*audience.languages(), *filter(None, [campaign.to_language])})
        choices = [("", "All languages"), *((tag, language_name(tag)) for tag in tags)]
        cast("forms.ChoiceField", self.fields["to_language"]).choices = choices

    def clean_subject(self) -> str:
        """Return the subject as it is stored."""
        return _one_line(self.cleaned_data["subject"])

    def clean_preheader(self) -> str:
        """Return the preview text as it is stored."""
        return _one_line(self.cleaned_data["preheader"])

    def clean_markdown(self) -> str:
        """Return the text as it is stored, with newlines as line ends."""
        return mask(self.cleaned_data["markdown"].replace("\r\n", "\n").replace("\r", "\n"))

    def clean_language(self) -> str:
        """Return the language's tag; English if there is none."""
        language: str = self.cleaned_data["language"] or "en"
        if not is_language(language):
            raise ValidationError("Write a language tag such as en, de or pt-BR.")
        return language

    def clean_link_name(self) -> str:
        """Return the name as it may stand in a link."""
        return _NOT_IN_A_LINK.sub("-", mask(self.cleaned_data["link_name"]).lower()).strip("-")

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        values = super().clean() or {}
        first, last = values.get("signed_up_from"), values.get("signed_up_until")
        if first and last and first > last:
            self.add_error("signed_up_until", "This day is before the first one.")
        return values

    def typed(self) -> dict[str, Any]:
        """Return what to save."""
        return {name: value for name, value in self.cleaned_data.items() if name != "revision"}


class ScheduleForm(forms.Form):
    """A day and a time on the clock of the site's time zone."""

    day = forms.DateField(widget=_Day(), error_messages={"required": "Choose a day.", "invalid": "Choose a day."})
    time = forms.TimeField(
        input_formats=["%H:%M"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"required": "Choose a time.", "invalid": "Enter a time, such as 09:00."},
    )

    def wall_time(self) -> str:
        """Return both as `2026-12-01T09:00`."""
        return f"{self.cleaned_data['day']:%Y-%m-%d}T{self.cleaned_data['time']:%H:%M}"


class TopicForm(forms.Form):
    """A topic: a new one, or `topic`."""

    name = forms.CharField(max_length=60, error_messages={"required": "Enter a name."})
    description = forms.CharField(
        max_length=200, required=False, help_text="Shown beside the name where people choose topics."
    )
    public = forms.BooleanField(
        required=False,
        help_text="The sign-up form and the preference centre offer it. A private topic is for imported lists: people "
        "can leave it and cannot choose it.",
    )

    def __init__(self, data: Any = None, *, topic: Topic | None = None) -> None:
        start = {"name": topic.name, "description": topic.description, "public": topic.public} if topic else {}
        super().__init__(data, initial=start or {"public": True})

    def clean_name(self) -> str:
        """Return the name as it is stored."""
        name = _one_line(self.cleaned_data["name"])
        if not name:
            raise ValidationError("Enter a name.")
        return name

    def clean_description(self) -> str:
        """Return the description as it is stored."""
        return _one_line(self.cleaned_data["description"])

"""What operators type about conversations. Card numbers are taken out of all of it (B2)."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from troth.contact.models import Canned
from troth.core.text.card_numbers import mask

LONGEST = 20_000
"""Characters of an answer at most."""


def _tidy(text: str) -> str:
    """Lines parted by a newline, no card number."""
    return mask(text.replace("\r\n", "\n").replace("\r", "\n"))


class SoughtForm(forms.Form):
    """What leads to a person: an address, a domain, a telephone number, a name or a word of it."""

    sought = forms.CharField(max_length=254, error_messages={"required": "Type an address, a name or a number"})


class AnswerForm(forms.Form):
    """An answer. `seen` is the last message that the page showed."""

    text = forms.CharField(
        label="Your answer",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 9, "data-answer": "", "aria-keyshortcuts": "r"}),
        error_messages={"required": "Write your answer first."},
    )
    seen = forms.UUIDField(widget=forms.HiddenInput, error_messages={"required": "Open the page again, then send."})
    canned = forms.UUIDField(required=False)

    def clean_text(self) -> str:
        """As it is kept and sent."""
        return _tidy(self.cleaned_data["text"])

    def with_canned(self) -> "AnswerForm":
        """The same, not sent yet, with the chosen canned answer behind what was typed."""
        typed = self.data.get("text", "")[:LONGEST]
        wanted = _uuid(self.data.get("canned", ""))
        chosen = Canned.objects.filter(id=wanted).first() if wanted else None
        text = "\n\n".join(part for part in (typed.strip(), chosen.text if chosen else "") if part)
        return AnswerForm(initial={"text": text})


class LabelForm(forms.Form):
    """A label to put on (`name`), or one to take off (`remove`)."""

    name = forms.CharField(max_length=30, required=False)
    remove = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        told = super().clean() or {}
        if not told.get("name") and not told.get("remove"):
            raise ValidationError("name")
        told["name"] = mask(" ".join((told.get("name") or "").split()))[:30]
        return told


class CannedForm(forms.Form):
    """An answer that is kept ready: a new one, or `there`."""

    title = forms.CharField(max_length=60, error_messages={"required": "Give it a title."})
    text = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": "Write the text."},
    )

    def __init__(self, data: Any = None, *, there: Canned | None = None) -> None:
        super().__init__(data, initial={"title": there.title, "text": there.text} if there else None)
        self._there = there or Canned()

    def clean_title(self) -> str:
        """Two of one title could not be told apart."""
        title = mask(self.cleaned_data["title"])
        if Canned.objects.filter(title=title).exclude(id=self._there.id).exists():
            raise ValidationError("There is one of this title already.")
        return title

    def clean_text(self) -> str:
        """As it is kept."""
        return _tidy(self.cleaned_data["text"])

    def save(self) -> None:
        """Keep it."""
        self._there.title, self._there.text = self.cleaned_data["title"], self.cleaned_data["text"]
        self._there.save()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""The inbox's forms for operators. Card numbers are masked in all of them (B2)."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from troth.contact.models import Canned
from troth.core.text.card_numbers import mask

LONGEST = 20_000
"""Characters of a reply at most."""


def _tidy(text: str) -> str:
    """Return the text with newlines as line ends and card numbers masked."""
    return mask(text.replace("\r\n", "\n").replace("\r", "\n"))


class SoughtForm(forms.Form):
    """A search: an address, a domain, a telephone number, a name or a word of it."""

    sought = forms.CharField(
        max_length=254, error_messages={"required": "Enter an email address, a name or a phone number"}
    )


class AnswerForm(forms.Form):
    """A reply. `seen` is the last message that the page showed."""

    text = forms.CharField(
        label="Your reply",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 9, "data-answer": "", "aria-keyshortcuts": "r"}),
        error_messages={"required": "Write your reply first."},
    )
    seen = forms.UUIDField(
        widget=forms.HiddenInput, error_messages={"required": "Reload the page, then send your reply."}
    )
    canned = forms.UUIDField(required=False)

    def clean_text(self) -> str:
        """Return the text as it is stored and sent."""
        return _tidy(self.cleaned_data["text"])

    def with_canned(self) -> "AnswerForm":
        """Return the form, not sent yet, with the chosen saved reply after what was typed."""
        typed = self.data.get("text", "")[:LONGEST]
        reply_id = _uuid(self.data.get("canned", ""))
        chosen = Canned.objects.filter(id=reply_id).first() if reply_id else None
        text = "\n\n".join(part for part in (typed.strip(), chosen.text if chosen else "") if part)
        return AnswerForm(initial={"text": text})


class LabelForm(forms.Form):
    """A label to add (`name`), or one to remove (`remove`)."""

    name = forms.CharField(max_length=30, required=False)
    remove = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        """Require one of the two."""
        values = super().clean() or {}
        if not values.get("name") and not values.get("remove"):
            raise ValidationError("name")
        values["name"] = mask(" ".join((values.get("name") or "").split()))[:30]
        return values


class CannedForm(forms.Form):
    """A saved reply: a new one, or `reply`."""

    title = forms.CharField(max_length=60, error_messages={"required": "Enter a title."})
    text = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": "Enter the text."},
    )

    def __init__(self, data: Any = None, *, reply: Canned | None = None) -> None:
        super().__init__(data, initial={"title": reply.title, "text": reply.text} if reply else None)
        self._reply = reply or Canned()

    def clean_title(self) -> str:
        """Require a title that no other saved reply has."""
        title = mask(self.cleaned_data["title"])
        if Canned.objects.filter(title=title).exclude(id=self._reply.id).exists():
            raise ValidationError("A saved reply with this title already exists.")
        return title

    def clean_text(self) -> str:
        """Return the text as it is stored."""
        return _tidy(self.cleaned_data["text"])

    def save(self) -> None:
        """Save it."""
        self._reply.title, self._reply.text = self.cleaned_data["title"], self.cleaned_data["text"]
        self._reply.save()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""The form by which operators upload a list of people, and what they say of how its columns are to be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from troth.core.clock import now
from troth.core.text.card_numbers import mask
from troth.newsletter import topics
from troth.people import import_rows
from troth.people.csv_sources import FileInMemory
from troth.people.import_columns import FIELDS, ImportColumns
from troth.people.import_desk import Statement
from troth.people.import_files import ReadingOptions
from troth.people.import_words import NOT_READ, field_label

MOST_COLUMNS = 60
"""Columns that can be chosen on the page."""


class ImportForm(forms.Form):
    """A file, and what the operator states for everybody in it."""

    file = forms.FileField(
        label="File",
        help_text="A CSV file whose first line names the columns, or Mailchimp’s ZIP. Up to 10 MB; for larger ones use "
        "troth people import.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.zip,text/csv,application/zip"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        max_length=200,
    )
    consent = forms.CharField(
        label="Consent sentence",
        required=False,
        max_length=500,
        help_text="What they agreed to, word for word, unless the file has a column with it.",
    )
    consent_date = forms.DateField(
        label="Date of consent",
        required=False,
        help_text="Unless the file has a column with it. A row without consent is not imported.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    source = forms.CharField(
        label="Where the list comes from",
        required=False,
        max_length=200,
        help_text="Stored with each consent, and shown to these people if they ask. Empty: the file’s name.",
    )
    topics = forms.MultipleChoiceField(
        label="Topics for everybody in the file", required=False, widget=forms.CheckboxSelectMultiple
    )
    language = forms.CharField(
        label="Language",
        required=False,
        max_length=35,
        help_text="Of everybody whose row names none, as a tag: en, de, pt-BR. Empty: not known.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    date_format = forms.CharField(
        label="How the file writes dates",
        required=False,
        max_length=40,
        help_text="Empty: 2024-03-31. Otherwise such as %d.%m.%Y.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email_column = forms.CharField(
        label="Column with the email address",
        required=False,
        max_length=80,
        help_text="Only if its name does not say it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    update = forms.BooleanField(
        label="Update people who are already subscribed",
        required=False,
        help_text="Values in the file replace stored ones; empty cells change nothing.",
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        offered = [(topic.name, topic.name) for topic in topics.all_topics() if topic.archived_at is None]
        field = self.fields["topics"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = offered
        if not offered:
            del self.fields["topics"]

    def clean_consent_date(self) -> Any:
        """Refuse a day to come."""
        day = self.cleaned_data["consent_date"]
        if day and day > now().date():
            raise forms.ValidationError("This day is still to come. Enter the day they agreed.")
        return day

    def upload(self) -> FileInMemory:
        """Return the file."""
        uploaded = self.cleaned_data["file"]
        return FileInMemory(mask(uploaded.name), uploaded.read())

    def statement(self) -> Statement:
        """Return what the operator says of it. Raises `FileRefused`."""
        typed = self.cleaned_data
        day = typed["consent_date"].isoformat() if typed["consent_date"] else ""
        ground = import_rows.read_ground(mask(typed["consent"]), day, "", typed["language"])
        columns = {typed["email_column"]: "email"} if typed["email_column"] else {}
        options = ReadingOptions(ground, columns, typed["date_format"])
        return Statement(options, mask(typed["source"]), tuple(typed.get("topics", ())), typed["update"])


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What one column of the file is read as, and may be."""

    number: int
    name: str
    field: str
    known: bool
    """Whether it is read, or known and not needed; otherwise nobody knows what it is."""
    cells: tuple[str, ...]
    """Its first cells, masked."""
    options: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """Return what it is read as."""
        return field_label(self.field)


def column_choices(columns: ImportColumns, first_rows: tuple[tuple[str, ...], ...]) -> list[ColumnChoice]:
    """Return the columns of a file as the page offers them."""
    fields: dict[int, str] = {
        place: meaning.value for place, meaning in columns.telling.items() if meaning.value in FIELDS
    }
    fields |= {place: field for field, places in columns.columns.items() for place in places}
    options = (("-", NOT_READ), *((field, field_label(field)) for field in FIELDS))
    unknown = set(columns.unknown)
    return [
        ColumnChoice(
            place + 1,
            columns.called(place),
            fields.get(place, "-"),
            columns.called(place) not in unknown,
            tuple(row[place] for row in first_rows),
            options,
        )
        for place in range(min(len(columns.headers), MOST_COLUMNS))
    ]


def chosen_columns(typed: Mapping[str, str], columns: ImportColumns, before: Mapping[str, str]) -> dict[str, str]:
    """Return what the operator says of columns: what they chose before, and what differs from how they are read."""
    overrides = dict(before)
    for choice in column_choices(columns, ()):
        field = typed.get(f"column_{choice.number}", choice.field)
        if field != choice.field and field in {option for option, _ in choice.options}:
            overrides[_key(choice, columns)] = field
    return overrides


def _key(choice: ColumnChoice, columns: ImportColumns) -> str:
    """Return a column's name, or its number where another has the same name or it has none."""
    name = columns.headers[choice.number - 1]
    return name if name and columns.headers.count(name) == 1 else str(choice.number)

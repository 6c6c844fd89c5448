"""Maps a file's columns to details, by their headers or as the operator says. Reads no rows.

Headers are shown to the operator, so a first line with somebody's details is refused without being shown.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from troth.core.contact_details import WORDS
from troth.core.purpose import BASIC, Category
from troth.people.csv_sources import FileRefused
from troth.people.programs import ListState, Program, bare_name, recognise
from troth.people.unsubscribed_columns import UNKNOWN, Meaning, meaning_of

CONSENT, CONSENT_DATE, TOPICS, PAUSED, LANGUAGE = "consent", "consent_date", "topics", "paused_until", "language"
DETAIL_FIELDS = tuple(category.value for category in BASIC)
"""The fields that are details of a person."""
_SEVERAL_BECOME = {
    Category.NAME: "; several columns are joined by a space",
    Category.POSTAL_ADDRESS: "; several columns become its lines",
}
FIELDS: dict[str, str] = {
    **{category.value: WORDS[category] + _SEVERAL_BECOME.get(category, "") for category in BASIC},
    CONSENT: "consent text that the person agreed to",
    CONSENT_DATE: "date of consent; of several columns, the first with a value",
    TOPICS: "topics, lists or tags, by name; several columns are taken together",
    PAUSED: "until when they asked for no emails",
    LANGUAGE: "their language, as a tag such as de or pt-BR",
    Meaning.LEFT.value: "that, or when, they unsubscribed or opted out",
    Meaning.OPTED_IN.value: "whether they want the emails",
    Meaning.STATE.value: "status, such as subscribed or cancelled",
}
"""What a column may be, for the help. The last three say who is gone: any of them that does counts."""
_STANDING = frozenset({Meaning.LEFT.value, Meaning.OPTED_IN.value, Meaning.STATE.value})
_SEVERAL = frozenset({*_SEVERAL_BECOME, CONSENT_DATE, TOPICS})
"""Fields that several columns may make."""
_JOINED = {Category.POSTAL_ADDRESS.value: "\n"}
_HEADERS: dict[str, str] = {
    "email": "email e-mail mail emailaddress e-mail-adresse emailadresse mailadresse adressemail correo",
    "name": "name fullname firstname lastname givenname familyname surname forename vorname nachname prenom nom nombre "
    "apellido contactname",
    "telephone": "telephone phone phonenumber telephonenumber tel mobile mobilephone telefon handy telefono",
    "postal_address": "postaladdress address street street1 street2 address1 address2 addressline1 addressline2 zip "
    "zipcode postcode postalcode city town country strasse plz ort land adresse anschrift",
    "company": "company organization organisation companyname firma societe empresa",
    CONSENT: "consent consenttext consentwording optintext wording einwilligung",
    CONSENT_DATE: "consentdate consentat optintime optindate optinat confirmtime confirmed confirmedat confirmdate "
    "subscribedat subscribedate datejoined",
    PAUSED: "pauseduntil",
    LANGUAGE: "language lang languagecode locale sprache langue idioma",
    TOPICS: "topic topics list lists listname tag tags label labels segment segments",
}
_MEANS = {field.replace("_", ""): field for field in DETAIL_FIELDS} | {
    header.replace("-", ""): field for field, headers in _HEADERS.items() for header in headers.split()
}
_REGIONS = frozenset("state stateprovince statecode province provincecode county region bundesland".split())
_PLACES = frozenset("city town ort stadt zip zipcode postcode postalcode plz suburb ville".split())
"""Beside one of these a "State" is a place."""
DETAIL = re.compile(r"@|\d[\d ()./-]{5,}")
"""What looks like an address or a telephone number."""


@dataclass(frozen=True, slots=True)
class ImportColumns:
    """Which columns make which field, in the file's order. Columns that make none are not read."""

    headers: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    standing: Mapping[int, Meaning]
    """Columns that may say that somebody is gone: by their names, and all others (`UNKNOWN`) by their cells."""
    program: Program | None = None
    """Whose export this looks like."""
    states: Mapping[int, Mapping[str, ListState]] = field(default_factory=dict)
    """Of columns whose words the program defines, the state of each."""
    gone: Mapping[int, ListState] = field(default_factory=dict)
    """Of columns by which the program says that somebody is gone, in what way."""

    @property
    def telling(self) -> dict[int, Meaning]:
        """Return the columns whose names say that they tell who unsubscribed."""
        return {place: meaning for place, meaning in self.standing.items() if meaning not in UNKNOWN}

    @property
    def unread(self) -> list[str]:
        """Return the names of columns that are not read."""
        return [self.called(place) for place in self._unread()]

    @property
    def unknown(self) -> list[str]:
        """Return the names of columns that are not read and that the program's documentation does not name."""
        not_kept = self.program.not_kept if self.program else frozenset[str]()
        return [self.called(place) for place in self._unread() if bare_name(self.headers[place]) not in not_kept]

    def _unread(self) -> list[int]:
        used = {place for places in self.columns.values() for place in places} | set(self.telling)
        return [place for place in range(len(self.headers)) if place not in used]

    def called(self, place: int) -> str:
        """Return a column's name in the file."""
        return self.headers[place] or f"column {place + 1}"

    def cells(self, field: str, cells: Sequence[str]) -> list[str]:
        """Return each cell of `field` in a row."""
        return [cells[place].strip() for place in self.columns.get(field, ())]

    def pick(self, field: str, cells: Sequence[str]) -> str:
        """Return the text of `field` in a row."""
        places = self.columns.get(field, ())
        if len(places) == 1:
            return cells[places[0]]
        joint = _JOINED.get(field, " ")
        return joint.join(cells[place].strip() for place in places if cells[place].strip())

    def name_of(self, field: str) -> str:
        """Return the names of its columns in the file."""
        return " + ".join(self.called(place) for place in self.columns.get(field, ()))


def read_headers(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the columns' names. Raises `FileRefused` if the first line has somebody's details."""
    names = tuple(unicodedata.normalize("NFC", cell).strip().lstrip("\ufeff") for cell in cells)
    if any(DETAIL.search(name) or len(name) > 80 or not name.isprintable() for name in names):
        raise FileRefused(
            "The first line looks like personal details, not column names.",
            mend="Add a header line, such as: email,name,consent_date",
        )
    return names


def find_mapping(headers: tuple[str, ...], overrides: Mapping[str, str]) -> ImportColumns:
    """Return the mapping: `overrides` (column: field, `-` for none) take precedence over headers. Raises
    `FileRefused`."""
    chosen = {_place(headers, column): _field(field) for column, field in overrides.items()}
    program = recognise(headers)
    guessed = _guessed(headers, program)
    assigned = set(chosen.values())
    mapping: dict[str, list[int]] = {}
    for place in range(len(headers)):
        field = chosen.get(place) if place in chosen else guessed.get(place)
        if field and field not in _STANDING and (place in chosen or field not in assigned):
            mapping.setdefault(field, []).append(place)
    for field, places in mapping.items():
        if len(places) > 1 and field not in _SEVERAL:
            if any(place in chosen for place in places[1:]):
                raise FileRefused(
                    f"Two columns are mapped to {field}.",
                    mend=f"Only these can have several columns: {', '.join(sorted(_SEVERAL))}.",
                )
            del places[1:]
    if "email" not in mapping:
        raise FileRefused(
            "No email address column found.",
            mend=f"Choose one: --map COLUMN=email. The columns are: {', '.join(filter(None, headers))}.",
        )
    standing = _standing(headers, chosen, {place: guessed.get(place, "") for place in range(len(headers))})
    if program and CONSENT_DATE in mapping:
        mapping[CONSENT_DATE].sort(key=lambda place: _preference(program, headers[place]))
    columns = {field: tuple(places) for field, places in mapping.items()}
    if program is None:
        return ImportColumns(headers, columns, standing)
    names = {place: bare_name(name) for place, name in enumerate(headers) if place not in chosen}
    states = {place: program.states[name] for place, name in names.items() if name in program.states}
    gone_states = {place: program.gone[name] for place, name in names.items() if name in program.gone}
    return ImportColumns(
        headers, columns, standing | dict.fromkeys(states, Meaning.STATE), program, states, gone_states
    )


def _preference(program: Program, header: str) -> int:
    """Return a date's rank: what the program's definition names first counts first; columns of the operator lead."""
    dates, name = program.consent_dates, bare_name(header)
    return dates.index(name) if name in dates else -1


def _guessed(headers: Sequence[str], program: Program | None) -> dict[int, str]:
    """Return each column's field by its name, as the program uses the name."""
    guessed = {place: field for place, name in enumerate(headers) if (field := _MEANS.get(bare_name(name)))}
    guessed |= dict.fromkeys(_regions(headers), Category.POSTAL_ADDRESS.value)
    if program is None:
        return guessed
    for place, name in enumerate(map(bare_name, headers)):
        if name in program.states or name in program.gone or name in program.not_kept:
            guessed.pop(place, None)
        elif name in program.consent_dates:
            guessed[place] = CONSENT_DATE
        elif name in program.topics:
            guessed[place] = TOPICS
    return guessed


def _regions(headers: Sequence[str]) -> list[int]:
    """Return the columns that are part of a postal address, although "state" can mean something else."""
    names = [bare_name(name) for name in headers]
    return [place for place, name in enumerate(names) if name in _REGIONS] if _PLACES & set(names) else []


def _standing(headers: Sequence[str], chosen: Mapping[int, str], guessed: Mapping[int, str]) -> dict[int, Meaning]:
    """Return the columns that may say that somebody unsubscribed: by the operator's mapping, or by name."""
    meanings = dict[int, Meaning]()
    for place, name in enumerate(headers):
        if place in chosen:
            meaning = Meaning(chosen[place]) if chosen[place] in _STANDING else None
        elif guessed[place] == Category.POSTAL_ADDRESS and bare_name(name) in _REGIONS:
            meaning = Meaning.HINT
        else:
            meaning = meaning_of(name) if guessed[place] in ("", CONSENT_DATE, TOPICS) else None
        if meaning:
            meanings[place] = meaning
    return meanings


def _place(headers: Sequence[str], column: str) -> int:
    name_asked = unicodedata.normalize("NFC", column).strip()
    for place, name in enumerate(headers):
        if name == name_asked:
            return place
    for place, name in enumerate(headers):
        if name.casefold() == name_asked.casefold():
            return place
    if name_asked.isdigit() and 1 <= int(name_asked) <= len(headers):
        return int(name_asked) - 1
    raise FileRefused("--map names an unknown column.", mend=f"The columns are: {', '.join(filter(None, headers))}.")


def _field(typed: str) -> str:
    if typed == "-":
        return ""
    if typed not in FIELDS:
        raise FileRefused("--map names an unknown field.", mend=f"One of: {', '.join(FIELDS)}, or - for none.")
    return typed


def masked(cell: str, longest: int = 28) -> str:
    """Return the shape of a cell, for checking the mapping: `xxx@xxxxx.xx`, `+99 99 999`."""
    shape = "".join(_shape(char) for char in cell[:longest])
    return shape + "…" if len(cell) > longest else shape


def _shape(char: str) -> str:
    if char.isdigit():
        return "9"
    if char.isalpha():
        return "X" if char.isupper() else "x"
    return char if char.isprintable() else " "

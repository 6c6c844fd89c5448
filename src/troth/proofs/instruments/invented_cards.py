"""Card numbers for proofs, new for each run, and forms submitted with them.

May touch: the site's own front.
"""

import base64
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from troth.core.contact_details import LONGEST
from troth.core.purpose import Category
from troth.gate.loopback.front_client import FrontAnswer
from troth.proofs.context import Scene

_PARTED = re.compile(r"(?<=[0-9])[ .\u00a0-](?=[0-9])")
_ISSUERS = (
    *(("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2223", 16), ("2720", 16), ("34", 15), ("37", 15)),  # Visa to Amex
    *(("3056", 14), ("36", 14), ("38", 14), ("6011", 16), ("6445", 16), ("65", 16)),  # Diners Club, Discover
    *(("3528", 16), ("3566", 16), ("62", 16), ("62", 19), ("6759", 16), ("6304", 16), ("5019", 16)),  # JCB to Dankort
    *(("2200", 16), ("5066", 16), ("606282", 16), ("9792", 16)),  # Mir, Elo, Hipercard, Troy
)
"""First digits and lengths of the brands that have public test numbers. These themselves may be in a site's texts, as
in its policy, so that proofs invent others of these brands."""


def new_number() -> str:
    """Return a valid card number of any brand."""
    return _number(*secrets.choice(_ISSUERS))


def numbers_of_all_brands() -> list[str]:
    """Return a valid card number of each brand."""
    return [_number(*issuer) for issuer in _ISSUERS]


def _number(prefix: str, length: int) -> str:
    """Return an issuer's prefix, random digits, and the check digit (ISO/IEC 7812-1)."""
    body = prefix + "".join(secrets.choice("0123456789") for _ in range(length - len(prefix) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{body}{-total % 10}"


def spellings(number: str) -> list[str]:
    """Return the number as people write it: plain, in groups, and in full-width digits."""
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    wide = "".join(chr(0xFF10 + int(digit)) for digit in number)
    return [number, groups, groups.replace(" ", "-"), groups.replace(" ", "."), wide]


def _each(shape: str) -> Callable[[str], str]:
    return lambda number: "".join(shape.format(ord(digit)) for digit in number)


_DISGUISES: tuple[Callable[[str], str], ...] = (
    _each("%{:02X}"),
    _each("%25{:02x}"),
    _each("&#{};"),
    _each("&#x{:x};"),
    _each("\\u{:04x}"),
    _each("={:02X}"),
    lambda number: base64.b64encode(f"card {number}.".encode()).decode(),
    lambda number: number.encode().hex(),
    lambda number: "\u200b".join(number),
    lambda number: "".join(chr(0x0660 + int(digit)) for digit in number),
    lambda number: f"{number[:4]}\n{number[4:8]}\n{number[8:12]}\n{number[12:]}",
    lambda number: f"<b>{number[:4]}</b>{number[4:8]}<i>{number[8:12]}</i>{number[12:]}",
)
"""How programs write digits, or somebody who hides them: percent and HTML encoding, escapes, base64, hexadecimal,
characters without width, other scripts, lines, tags."""


def disguised(number: str, longest: int) -> str:
    """Return the number as people or programs write it, in at most `longest` characters."""
    written = [*spellings(number), *(disguise(number) for disguise in _DISGUISES)]
    return secrets.choice([text for text in written if len(text) <= longest])


def shows_more(text: str, number: str) -> bool:
    """Return whether a text contains six or more digits in a row of this number; four may stay."""
    plain = _PARTED.sub("", unicodedata.normalize("NFKC", text))
    return any(number[at : at + 6] in plain for at in range(len(number) - 5))


@dataclass(frozen=True, slots=True)
class ReturnedForm:
    """A form that was submitted with a card number in every field and came back with errors."""

    path: str
    spelled: dict[str, str]
    """What was typed, by field."""
    numbers: tuple[str, ...]
    answer: FrontAnswer

    def shown_again(self) -> str:
        """Return the field whose number came back as it was typed; empty if none did."""
        page = self.answer.text
        return next((name for name, text in self.spelled.items() if text in page or escape(text) in page), "")


def given_back(scene: Scene) -> list[ReturnedForm]:
    """Return every form, submitted once in this run because of the rate limit; the front may have refused one for
    it."""
    if "given back" not in scene.shared:
        scene.shared["given back"] = [_sent(scene, path, names) for path, names in _fields(scene).items()]
    forms: list[ReturnedForm] = scene.shared["given back"]
    return forms


def _fields(scene: Scene) -> dict[str, list[str]]:
    names_by_path = {"/newsletter": [category.value for category in scene.config.newsletter.fields]}
    if scene.config.contact.enabled:
        names_by_path["/contact"] = [*(category.value for category in scene.config.contact.fields), "message"]
    return names_by_path


def _sent(scene: Scene, path: str, names: list[str]) -> ReturnedForm:
    spelled, numbers = dict[str, str](), list[str]()
    for name in names:
        number = new_number()
        spelled[name] = disguised(number, LONGEST[Category(name)])
        numbers.append(number)
    if _MESSAGE in spelled:
        spelled[_MESSAGE], every = text_with_all_brands()
        numbers += every
    answer = scene.front.post(path, list(spelled.items()))
    scene.cards.extend(numbers)
    return ReturnedForm(path, spelled, tuple(numbers), answer)


_MESSAGE = Category.MESSAGE.value


def text_with_all_brands() -> tuple[str, list[str]]:
    """Return a message with a number of each brand, each disguised in its own way, and these numbers."""
    numbers = numbers_of_all_brands()
    lines = [f"My card, perhaps: {disguised(number, 120)}; or another." for number in numbers]
    return "\n\n".join(lines), numbers

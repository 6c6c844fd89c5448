"""Card numbers for proofs, new for each run, and forms submitted with them.

May touch: the site's own front.
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass

from troth.gate.loopback.front_client import FrontAnswer
from troth.proofs.context import Scene

_PARTED = re.compile(r"(?<=[0-9])[ .\u00a0-](?=[0-9])")
_ISSUERS = (("4", 16), ("51", 16), ("2223", 16), ("37", 15), ("6011", 16))


def new_number() -> str:
    """Return a valid card number: an issuer's prefix, its length and the check digit (ISO/IEC 7812-1)."""
    prefix, length = secrets.choice(_ISSUERS)
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
    numbers = {name: new_number() for name in names}
    spelled = {name: secrets.choice(spellings(number)) for name, number in numbers.items()}
    answer = scene.front.post(path, list(spelled.items()))
    scene.cards.extend(numbers.values())
    return ReturnedForm(path, spelled, tuple(numbers.values()), answer)

"""Proofs of B2: a card number that is typed into a form is not kept. With numbers that are new each time."""

import secrets

from troth.ground.cardnumbers import find
from troth.ground.promise import Verdict
from troth.promises import searching
from troth.promises.scene import Scene
from troth.vault.revealing import forms

_ISSUERS = (("4", 16), ("51", 16), ("2223", 16), ("37", 15), ("6011", 16))


def new_number(prefix: str, length: int) -> str:
    """Digits that an issuer's card could have: right beginning, right length, right check digit (ISO/IEC 7812-1)."""
    body = prefix + "".join(secrets.choice("0123456789") for _ in range(length - len(prefix) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{body}{-total % 10}"


def _spellings(number: str) -> list[str]:
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    wide = "".join(chr(0xFF10 + int(digit)) for digit in number)
    return [number, groups, groups.replace(" ", "-"), groups.replace(" ", "."), wide]


def forms_mask_them(scene: Scene) -> Verdict:
    """Typed into each field of each form, a card number comes back with its last four digits only, and is kept
    nowhere."""
    paths = {"/newsletter": scene.config.newsletter.fields, "/contact": scene.config.contact.fields}
    if not scene.config.contact.enabled:
        del paths["/contact"]
    tried = 0
    for path, fields in paths.items():
        names = [one.value for one in fields if one.value != "email"] + (["message"] if path == "/contact" else [])
        for name in names:
            number = new_number(*secrets.choice(_ISSUERS))
            scene.cards.append(number)
            spelled = secrets.choice(_spellings(number))
            answer = scene.front.post(path, [("email", "nobody@localhost"), (name, spelled)])
            if answer.status == 429:
                continue  # tried often enough for one hour
            tried += 1
            if any(form in answer.body for form in (spelled.encode(), number.encode())) or find(answer.text):
                return Verdict.broken(f"The form at {path} gave a card number back that was typed into {name}.")
    if not tried:
        return Verdict.unproven("The front takes no form from here just now: too many came.")
    return Verdict.kept(f"{tried} card numbers were typed into the forms; each came back with four digits only.")


def none_lies_about(scene: Scene) -> Verdict:
    """After that, none of these numbers is in any file of the site, plain, encoded or hashed."""
    if not scene.cards:
        return Verdict.unproven("No card number could be typed anywhere.")
    sought = forms(spelled for number in scene.cards for spelled in _spellings(number))
    looked = searching.in_files(searching.files_of(scene.site.root, but=[scene.site.keys]), scene.site.root, sought)
    places = looked.places
    if scene.config.database.url:
        places += searching.in_postgresql(sought).places
    if places:
        return Verdict.broken(f"A card number can be read in {', '.join(places[:5])}.")
    return Verdict.kept(f"{looked.files} files were searched for {len(scene.cards)} card numbers; none was found.")

"""Proofs of B2: a card number that is typed into a form is not kept. With numbers that are new each time.

May touch: the own front; every file of the site and its log (reading); the database through the keeper.
"""

from collections.abc import Callable

from troth.core.text.card_numbers import find
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments import canary_visit, file_scan
from troth.proofs.instruments.encodings import forms, texts_of
from troth.proofs.instruments.invented_cards import given_back, new_number, shows_more, spellings
from troth.vault.records import Message


def forms_mask_them(scene: Scene) -> Verdict:
    """Typed into each field of each form, a card number comes back with its last four digits only."""
    tried, left = 0, 0
    for form in given_back(scene):
        if form.answer.status in (429, 503):
            left += 1
            continue
        if form.answer.status != 422:
            return Verdict.broken(f"The form at {form.path} took a card number for an e-mail address.")
        tried += len(form.numbers)
        for name, spelled in form.spelled.items():
            if spelled.encode() in form.answer.body:
                return Verdict.broken(f"The form at {form.path} gave a card number back that was typed into {name}.")
        if find(form.answer.text) or any(shows_more(form.answer.text, number) for number in form.numbers):
            return Verdict.broken(f"The form at {form.path} gave a card number back.")
    if not tried:
        return Verdict.unproven("The front takes no form from here just now: too many came.")
    words = " One form is left for the next trial: too many came just now." if left else ""
    return Verdict.kept(f"{tried} card numbers were typed in; each came back with four digits only.{words}")


def filed_without_it(scene: Scene) -> Verdict:
    """A card number in a message that was taken is not in the message that was filed, which is encrypted and would not
    be found by a search."""
    told = canary_visit.called(scene)
    if told.trouble:
        return Verdict.unproven(told.trouble)
    if not told.card:
        return Verdict.kept("No form takes a text in which a card number could stand.")
    texts = texts_of([one.text for one in told.messages if isinstance(one, Message)])
    if not texts:
        return Verdict.unproven("No message of an invented visitor was filed.")
    if any(find(text) or shows_more(text, told.card) for text in texts):
        return Verdict.broken("A card number that was written into a message was filed with it.")
    if not any(told.card[-4:] in text for text in texts):
        return Verdict.broken("A message with a card number was filed, and it is not the message that was sent.")
    return Verdict.kept("A message with a card number was filed with its last four digits only.")


def none_lies_about(scene: Scene) -> Verdict:
    """Sent in every way in which the front can be wrong about it, a card number is afterwards in no file of the site,
    nor in its log, plain, encoded or hashed."""
    ways = _sent_wrongly(scene)
    if not scene.cards:
        return Verdict.unproven("No card number could be typed anywhere.")
    sought = forms(spelled for number in scene.cards for spelled in spellings(number))
    looked = file_scan.everywhere(scene, sought)
    _, in_log, words = file_scan.in_the_log(scene, sought)
    if looked.places or in_log:
        return Verdict.broken(f"A card number can be read in {', '.join([*looked.places, *in_log][:5])}.")
    return Verdict.kept(
        f"{looked.files} files, and {words}, were searched for {len(scene.cards)} card numbers; none was found. "
        f"{ways} of them came by an error."
    )


def _sent_wrongly(scene: Scene) -> int:
    """Card numbers where none belongs: each ends in an error, which may not repeat it."""
    front, form = scene.front, "application/x-www-form-urlencoded"
    ways: tuple[Callable[[str], object], ...] = (
        lambda card: front.get(f"/{card}"),
        lambda card: front.get(f"/newsletter?number={card}"),
        lambda card: front.get(f"/confirm/{card}"),
        lambda card: front.get("/healthz", {"User-Agent": f"shop {card}", "Referer": f"https://example.org/{card}"}),
        lambda card: front.send("/newsletter", f"email=nobody%40localhost&{card}=x".encode(), {"Content-Type": form}),
        lambda card: front.send("/newsletter", f"email={card}%zz".encode(), {"Content-Type": form}),
        lambda card: front.send("/newsletter", f'{{"card": "{card}"}}'.encode(), {"Content-Type": "application/json"}),
        lambda card: front.send("/confirm/x", f"card={card}".encode(), {"Content-Type": form}),
    )
    for way in ways:
        card = new_number()
        way(card)
        scene.cards.append(card)
    return len(ways)

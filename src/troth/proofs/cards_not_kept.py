"""Proofs of B2: a card number typed into a form is not kept. Each run uses new numbers. May touch: the site's own
front; every file of the site and its log (reading); the database through the keeper."""

from collections.abc import Callable

from troth.core.text.card_numbers import find
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_visit, file_scan
from troth.proofs.instruments.encodings import forms, texts_of
from troth.proofs.instruments.invented_cards import disguised, given_back, new_number, shows_more, spellings
from troth.shop import company
from troth.vault.records import Message


@proof("cards.masked")
def forms_mask_card_numbers(scene: Scene) -> Verdict:
    """Check that a card number typed into any field of any form comes back with only its last four digits."""
    tried, skipped = 0, 0
    for form in given_back(scene):
        if form.answer.status in (429, 503):
            skipped += 1
            continue
        if form.answer.status != 422:
            return Verdict.broken(f"The form at {form.path} accepted a card number as an email address.")
        tried += len(form.numbers)
        if name := form.shown_again():
            return Verdict.broken(f"The form at {form.path} returned a full card number that was typed into {name}.")
        if find(form.answer.text) or any(shows_more(form.answer.text, number) for number in form.numbers):
            return Verdict.broken(f"The form at {form.path} returned a full card number.")
    if not tried:
        return Verdict.unproven("The public server accepts no more forms from this address for now (rate limit).")
    words = " One form was skipped because of the rate limit; the next run will include it." if skipped else ""
    return Verdict.kept(
        f"{tried} card numbers of all brands, written in many ways, were typed into forms; each came back with only "
        f"its last four digits.{words}"
    )


@proof("cards.filed")
def stored_message_is_masked(scene: Scene) -> Verdict:
    """Check that a card number in a message was masked in the stored message, which is encrypted and out of a search's
    reach."""
    call = canary_visit.called(scene)
    if call.trouble:
        return Verdict.unproven(call.trouble)
    if not call.cards:
        return Verdict.kept("No form has a text field that could contain a card number.")
    texts = texts_of([content.text for content in call.messages if isinstance(content, Message)])
    if not texts:
        return Verdict.unproven("No message from a test visitor was processed.")
    if any(find(text) or any(shows_more(text, card) for card in call.cards) for text in texts):
        return Verdict.broken("A card number in a message was stored with the message.")
    if not all(any(card[-4:] in text for text in texts) for card in call.cards):
        return Verdict.broken("A message with card numbers was stored, but it differs from the message that was sent.")
    return Verdict.kept(
        f"A message with {len(call.cards)} card numbers of all brands, written in many ways, was stored with the last "
        "four digits of each only."
    )


@proof("cards.nowhere")
def no_card_numbers_stored(scene: Scene) -> Verdict:
    """Check that card numbers sent in requests that end in an error are in no file and not in the log: plain, encoded
    or hashed."""
    sent = _sent_wrongly(scene)
    if _took_a_notice(scene):
        return Verdict.broken("A notice with a card number was stored.")
    if not scene.cards:
        return Verdict.unproven("No card number could be submitted anywhere.")
    patterns = forms(spelled for number in scene.cards for spelled in spellings(number))
    result = file_scan.everywhere(scene, patterns)
    _, in_log, words = file_scan.in_the_log(scene, patterns)
    if result.places or in_log:
        return Verdict.broken(f"A card number was found in {', '.join([*result.places, *in_log][:5])}.")
    return Verdict.kept(
        f"Searched {result.files} files and {words} for {len(scene.cards)} card numbers, {sent} of them sent in "
        "requests that end in an error; found none."
    )


def _sent_wrongly(scene: Scene) -> int:
    """Send card numbers in requests that end in an error, which must not repeat the number; return how many."""
    front, form = scene.front, "application/x-www-form-urlencoded"
    requests: tuple[Callable[[str], object], ...] = (
        lambda card: front.get(f"/{card}"),
        lambda card: front.get(f"/newsletter?number={card}"),
        lambda card: front.get(f"/confirm/{card}"),
        lambda card: front.get("/healthz", {"User-Agent": f"shop {card}", "Referer": f"https://example.org/{card}"}),
        lambda card: front.send("/newsletter", f"email=nobody%40localhost&{card}=x".encode(), {"Content-Type": form}),
        lambda card: front.send("/newsletter", f"email={card}%zz".encode(), {"Content-Type": form}),
        lambda card: front.send("/newsletter", f'{{"card": "{card}"}}'.encode(), {"Content-Type": "application/json"}),
        lambda card: front.send("/confirm/x", f"card={card}".encode(), {"Content-Type": form}),
        lambda card: front.send("/newsletter", f"email=x&name={card}".encode(), {"Content-Type": f"text/x; n={card}"}),
        lambda card: front.get(
            f"/buy/{card}", {"Accept": f"text/html;card={card}", "Origin": f"https://{card}.example"}
        ),
        lambda card: front.get(f"/buy/plainbook/{card}/EUR?pan={card}", {"Cookie": f"card={card}"}),
        lambda card: front.get(f"/buy/thanks/cs_{card}"),
        lambda card: front.send(f"/notices/{card}", b"{}", {"Stripe-Signature": f"t=1,v1={card}"}),
    )
    for send in requests:
        card = new_number()
        send(card)
        scene.cards.append(card)
    return len(requests)


def _took_a_notice(scene: Scene) -> bool:
    """Send notices with a card number to where the card company sends its own; return whether one was taken."""
    path, signed = f"/notices/{_notice_path() or 'none'}", {"Stripe-Signature": f"t=1,v1={0:064}"}
    was_taken = False
    for text in ('{{"number": "{}"}}', "\0\n{}", '{{"note": "my card: {}"}}'):
        card = new_number()
        answer = scene.front.send(path, text.format(disguised(card, 120)).encode(), signed)
        scene.cards.append(card)
        was_taken = was_taken or answer.status < 400
    return was_taken


def _notice_path() -> str:
    """Return where the card company's notices come in; empty without a shop, or where this process may not read it."""
    try:
        return company.notice_path()
    except company.NoShop:
        return ""

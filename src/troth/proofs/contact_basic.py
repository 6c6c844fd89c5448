"""Proofs of C1: only basic contact details are kept, and only those that were typed. Each tries the running system.

May touch: the own front; the database through the keeper; every file of the site (reading).
"""

import secrets
from collections.abc import Iterator

from troth.core.entry import Kind
from troth.core.purpose import BASIC, Category
from troth.policy import data_map
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments import canary_visit, file_scan, form_parser, invented_cards
from troth.proofs.instruments.canary_visit import Called
from troth.proofs.instruments.encodings import forms
from troth.vault.records import Consent, Details, Message

_OURS = frozenset({"back", "wording", "altcha", "ticket", "leave_empty"})
"""Fields of every form that are no contact detail: where to return, what was agreed to, what keeps robots out."""
_KNOWN = frozenset({"email", "name", "telephone", "postal_address", "company", "message"})
"""All that may ever be asked for. Written down once more, so that a new one is seen here."""
_STRANGERS = ("birthday", "gender", "iban", "passport", "device", *(one.value for one in BASIC))


def _form_fields(scene: Scene) -> dict[str, list[str]]:
    """The forms' paths, with the fields that each is set to ask for."""
    found = {"/newsletter": [one.value for one in scene.config.newsletter.fields], "/privacy/me": ["email"]}
    if scene.config.contact.enabled:
        found["/contact"] = [*(one.value for one in scene.config.contact.fields), "message"]
    return found


def forms_ask_what_is_set(scene: Scene) -> Verdict:
    """The forms as visitors get them ask for what the settings name, and for nothing else: fresh, given back after a
    slip, and as the vendor's own page has them."""
    pages = 0
    for path, wanted in _form_fields(scene).items():
        for what, text in _shown(scene, path):
            if not text:
                return Verdict.unproven(f"The form at {path} is not there just now.")
            names = {one.name for one in form_parser.fields(text)}
            extra, lacking = sorted(names - set(wanted) - _OURS), sorted(set(wanted) - names)
            if extra or lacking:
                return Verdict.broken(f"The form at {path}{what} asks for {', '.join(extra) or 'too little'}.")
            pages += 1
    return Verdict.kept(f"{pages} forms ask for what the settings name, and for nothing else.")


def _shown(scene: Scene, path: str) -> Iterator[tuple[str, str]]:
    fresh = scene.front.get(path)
    yield "", fresh.text if fresh.status == 200 else ""
    for form in invented_cards.given_back(scene):
        if form.path == path and form.answer.status == 422:  # 429: too many came just now
            yield ", given back,", form.answer.text
    if path != "/privacy/me":
        within = scene.front.get(f"{path}?embed")
        yield ", on the vendor’s page,", within.text if within.status == 200 else ""


def other_fields_are_refused(scene: Scene) -> Verdict:
    """A field that was not asked for, or one that comes twice, is refused, and nothing of the form is kept."""
    for path, wanted in _form_fields(scene).items():
        # As the form is sent, but for the field too many: an unknown wording or page is refused by itself.
        shown = form_parser.fields(scene.front.get(path).text)
        base = [(field.name, field.value) for field in shown if field.name == "wording"]
        base += [(name, "" if name == "back" else "nobody@localhost") for name in wanted]
        name = secrets.choice([one for one in _STRANGERS if one not in wanted])
        ways = [(f"a field called {name}", [*base, (name, "x")]), ("a field twice", [*base, base[-1]])]
        if path != "/newsletter":  # so often may one visitor; the other way comes the next time
            del ways[secrets.randbelow(2)]
        for what, fields in ways:
            answer = scene.front.post(path, fields)
            if answer.status == 429 or answer.status >= 500:
                return Verdict.unproven(f"The front takes no form from here just now ({answer.status}).")
            if answer.status != 400:
                return Verdict.broken(f"The form at {path} took {what} ({answer.status}).")
    return Verdict.kept("Fields that no form asks for were refused, and so was a field that came twice.")


def what_is_filed_was_typed(scene: Scene) -> Verdict:
    """An invented visitor signed up and wrote at the running front: what was filed is what was typed, and no more."""
    told = canary_visit.called(scene)
    if told.trouble:
        return Verdict.unproven(told.trouble)
    typed = _typed(told)
    if told.details != [typed]:
        return Verdict.broken("What was filed of an invented visitor is not what was typed into the form.")
    odd = [type(one).__name__ for one in told.consents if not _is_plain_consent(one)]
    if odd or not told.consents:
        return Verdict.broken(
            "What was noted of an invented visitor’s consent is more, or less, than that they agreed."
        )
    if scene.config.contact.enabled and not _is_their_message(scene, told):
        return Verdict.broken("What was filed of an invented visitor’s message is not what was typed.")
    return Verdict.kept("An invented visitor signed up and wrote: what was filed is what was typed, and nothing more.")


def _typed(told: Called) -> Details:
    who, asked = told.canary, told.asked
    return Details(
        who.email,
        who.name if Category.NAME in asked else None,
        who.telephone if Category.TELEPHONE in asked else None,
        who.address if Category.POSTAL_ADDRESS in asked else None,
        who.company if Category.COMPANY in asked else None,
    )


def _is_plain_consent(found: object) -> bool:
    steps = {"asked", "confirmed", "left"}
    return isinstance(found, Consent) and found.step in steps and found.source is None


def _is_their_message(scene: Scene, told: Called) -> bool:
    who, asked = told.canary, scene.config.contact.fields
    wanted = Details(
        who.email,
        who.name if Category.NAME in asked else None,
        who.telephone if Category.TELEPHONE in asked else None,
        who.address if Category.POSTAL_ADDRESS in asked else None,
        who.company if Category.COMPANY in asked else None,
    )
    (found,) = told.messages if len(told.messages) == 1 else (None,)
    return isinstance(found, Message) and found.sender == wanted


def nothing_told_along_is_kept(scene: Scene) -> Verdict:
    """What a browser tells along (its kind, the page before, a cookie, the address's question) lies nowhere."""
    told = canary_visit.called(scene)
    if told.trouble:
        return Verdict.unproven(told.trouble)
    sought = forms(told.marks)
    looked = file_scan.everywhere(scene, sought)
    _, in_log, _ = file_scan.in_the_log(scene, sought)
    if looked.places or in_log:
        where = ", ".join([*looked.places, *in_log][:5])
        return Verdict.broken(f"What an invented visitor’s browser told along was kept, in {where}.")
    return Verdict.kept(f"Marked by name, page before, cookie and question, a visit left none in {looked.files} files.")


def everything_kept_is_declared(scene: Scene) -> Verdict:
    """Every kind of frame, field of an entry, kind of record and column that can hold text is in the data map; and what
    may be asked for at all is the six things that the policy knows."""
    more = sorted({one.value for one in Category} - _KNOWN)
    if more:
        return Verdict.broken(f"The program may ask for more than contact details: {', '.join(more)}.")
    missing = [*data_map.undeclared(scene.config), *_kinds_without_entry()]
    if missing:
        return Verdict.broken(f"Kept and not declared: {', '.join(missing)}.")
    return Verdict.kept(f"{len(data_map.kept(scene.config))} kinds of record, each declared with its purpose and end.")


def _kinds_without_entry() -> list[str]:
    """Kinds of frame that the front may hand over and of which the data map has seen no entry."""
    seen = {one.kind for one in data_map.entries()}
    return [f"frames of the kind {kind.name.lower()}" for kind in Kind if kind not in seen]

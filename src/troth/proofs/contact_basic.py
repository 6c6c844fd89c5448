"""Proofs of C1: only basic contact details are kept, and only those that were typed. May touch: the site's own front;
the database through the keeper; every file of the site (reading)."""

import secrets
from collections.abc import Iterator

from troth.core.entry import Kind
from troth.core.purpose import BASIC, Category
from troth.newsletter import topics
from troth.newsletter.published import topic_field
from troth.policy import data_map
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_visit, file_scan, form_parser, invented_cards
from troth.proofs.instruments.canary_visit import CanaryCall
from troth.proofs.instruments.encodings import forms
from troth.vault.records import Consent, Message

_TECHNICAL_FIELDS = frozenset({"back", "wording", "altcha", "ticket", "leave_empty"})
"""Fields of every form that are not contact details: return URL, consent wording, protection against robots."""
_KNOWN_CATEGORIES = frozenset({"email", "name", "telephone", "postal_address", "company", "message"})
"""All details that may ever be asked for. Repeated here on purpose, so that a new one is noticed."""
_FIELDS_OF_NO_FORM = ("birthday", "gender", "iban", "passport", "device")
_FIELDS_OF_SOME_FORMS = tuple(category.value for category in BASIC)


def _form_fields(scene: Scene) -> dict[str, list[str]]:
    """Return the fields that each form is set to ask for, by path."""
    fields = {"/newsletter": [category.value for category in scene.config.newsletter.fields], "/privacy/me": ["email"]}
    if scene.config.contact.enabled:
        fields["/contact"] = [*(category.value for category in scene.config.contact.fields), "message"]
    return fields


@proof("contact.forms")
def forms_match_settings(scene: Scene) -> Verdict:
    """Check that the forms ask for exactly what the settings name: fresh, returned with errors, and embedded."""
    pages = 0
    for path, expected in _form_fields(scene).items():
        for variant, text in _shown(scene, path):
            if not text:
                return Verdict.unproven(f"The form at {path} is not available.")
            names = {field.name for field in form_parser.fields(text)} - _boxes(path)
            extra, lacking = sorted(names - set(expected) - _TECHNICAL_FIELDS), sorted(set(expected) - names)
            if extra or lacking:
                fault = f"also asks for {', '.join(extra)}" if extra else f"does not ask for {', '.join(lacking)}"
                return Verdict.broken(f"The form at {path}{variant} {fault}.")
            pages += 1
    return Verdict.kept(f"{pages} forms ask for exactly the fields in the settings.")


def _boxes(path: str) -> set[str]:
    """Return the boxes of the site's topics, which the newsletter form may have."""
    return (
        {topic_field(topic.number) for topic in topics.all_topics() if topic.public} if path == "/newsletter" else set()
    )


def _shown(scene: Scene, path: str) -> Iterator[tuple[str, str]]:
    fresh = scene.front.get(path)
    yield "", fresh.text if fresh.status == 200 else ""
    for form in invented_cards.given_back(scene):
        if form.path == path and form.answer.status == 422:  # 429: too many came just now
            yield ", returned with errors,", form.answer.text
    if path != "/privacy/me":
        within = scene.front.get(f"{path}?embed")
        yield ", embedded in the vendor’s page,", within.text if within.status == 200 else ""


@proof("contact.refusals")
def extra_fields_are_rejected(scene: Scene) -> Verdict:
    """Check that an extra or repeated field is rejected with the whole form."""
    for path, expected in _form_fields(scene).items():
        # As the form is sent, but for the field too many: an unknown wording or page is refused by itself.
        page = scene.front.get(path)
        if page.status != 200:
            return Verdict.unproven(f"The form at {path} is not available ({page.status}).")
        base = [(field.name, field.value) for field in form_parser.fields(page.text) if field.name == "wording"]
        base += [(name, "" if name == "back" else "nobody@localhost") for name in expected]
        # What some form asks for is also refused where the entry is read, so one form is always tried with the others.
        extras = _FIELDS_OF_NO_FORM if path == "/newsletter" else (*_FIELDS_OF_NO_FORM, *_FIELDS_OF_SOME_FORMS)
        extra = secrets.choice([name for name in extras if name not in expected])
        attempts = [
            (f"an extra field called {extra}", [*base, (extra, "x")]),
            ("the same field twice", [*base, base[-1]]),
        ]
        if path != "/newsletter":  # so often may one visitor; the other way comes the next time
            del attempts[secrets.randbelow(2)]
        for attempt, fields in attempts:
            answer = scene.front.post(path, fields)
            if answer.status == 429 or answer.status >= 500:
                return Verdict.unproven(
                    f"The public server accepts no forms from this address for now ({answer.status})."
                )
            if answer.status != 400:
                return Verdict.broken(f"The form at {path} accepted {attempt} ({answer.status}).")
    return Verdict.kept("Fields that the forms do not ask for were rejected, and so were repeated fields.")


@proof("contact.filed")
def stored_is_what_was_typed(scene: Scene) -> Verdict:
    """Check that exactly what a test visitor entered at the running front was stored."""
    call = canary_visit.called(scene)
    if call.trouble:
        return Verdict.unproven(call.trouble)
    if call.details != [call.canary.asked(call.requested)]:
        return Verdict.broken("The details stored for a test visitor are not those entered in the form.")
    unexpected = [type(consent).__name__ for consent in call.consents if not _is_plain_consent(consent)]
    if unexpected or not call.consents:
        return Verdict.broken("The consent recorded for a test visitor contains more, or less, than that they agreed.")
    if scene.config.contact.enabled and not _is_their_message(scene, call):
        return Verdict.broken("The message stored for a test visitor is not the one they entered.")
    return Verdict.kept("A test visitor signed up and wrote; exactly what they entered was stored.")


def _is_plain_consent(content: object) -> bool:
    steps = {"asked", "confirmed", "left"}
    return (
        isinstance(content, Consent)
        and content.step in steps
        and content.source is None
        and content.topics is None  # the test visitor ticks none
    )


def _is_their_message(scene: Scene, call: CanaryCall) -> bool:
    expected = call.canary.asked(scene.config.contact.fields)
    (message,) = call.messages if len(call.messages) == 1 else (None,)
    return isinstance(message, Message) and message.sender == expected


@proof("contact.traces")
def browser_data_is_not_stored(scene: Scene) -> Verdict:
    """Check that nothing a browser sends by itself is stored: user agent, referrer, cookie, query."""
    call = canary_visit.called(scene)
    if call.trouble:
        return Verdict.unproven(call.trouble)
    patterns = forms(call.marks)
    result = file_scan.everywhere(scene, patterns)
    _, in_log, _ = file_scan.in_the_log(scene, patterns)
    if result.places or in_log:
        where = ", ".join([*result.places, *in_log][:5])
        return Verdict.broken(f"Data sent automatically by a test visitor’s browser was stored in {where}.")
    return Verdict.kept(
        f"A visit with a marked user agent, referrer, cookie and query left no trace in {result.files} files."
    )


@proof("contact.declared")
def all_data_is_declared(scene: Scene) -> Verdict:
    """Check that the data map declares every kind of frame, entry field, kind of record and text column, and that the
    only details the program can ask for are the six that the policy names."""
    more = sorted({category.value for category in Category} - _KNOWN_CATEGORIES)
    if more:
        return Verdict.broken(f"The program can ask for more than contact details: {', '.join(more)}.")
    missing = [*data_map.undeclared(scene.config), *_kinds_without_entry()]
    if missing:
        return Verdict.broken(f"Stored but not declared: {', '.join(missing)}.")
    return Verdict.kept(
        f"{len(data_map.kept(scene.config))} kinds of record, each declared with its purpose and retention period."
    )


def _kinds_without_entry() -> list[str]:
    """Return kinds of frame that the front may hand over and that have no entry in the data map."""
    declared = {entry.kind for entry in data_map.entries()}
    return [f"frames of kind {kind.name.lower()}" for kind in Kind if kind not in declared]

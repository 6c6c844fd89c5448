"""The function that runs each proof, and the files that verdicts depend on.

The words of the promises are in `policy.promises`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from troth.policy.promise import Verdict
from troth.proofs import (
    cards_not_kept,
    contact_basic,
    contact_not_shared,
    contact_not_shared_mail,
    contact_not_shared_pages,
    contact_purpose,
    policy_current,
    visitors,
)
from troth.proofs.context import Scene

RUN: dict[str, Callable[[Scene], Verdict]] = {
    "policy.page": policy_current.page_is_the_policy,
    "policy.words": policy_current.page_says_every_sentence,
    "policy.versions": policy_current.versions_are_whole,
    "policy.marks": policy_current.marks_say_what_was_found,
    "policy.tables": policy_current.tables_are_the_codes,
    "policy.times": policy_current.nothing_is_over_its_time,
    "contact.forms": contact_basic.forms_ask_what_is_set,
    "contact.refusals": contact_basic.other_fields_are_refused,
    "contact.filed": contact_basic.what_is_filed_was_typed,
    "contact.traces": contact_basic.nothing_told_along_is_kept,
    "contact.declared": contact_basic.everything_kept_is_declared,
    "purpose.two": contact_purpose.there_are_two_purposes,
    "purpose.wrong": contact_purpose.another_purpose_opens_nothing,
    "purpose.ledger": contact_purpose.every_opening_is_written,
    "purpose.keeper": contact_purpose.nobody_else_opens,
    "shared.readable": contact_not_shared.nothing_readable_lies_about,
    "shared.logs": contact_not_shared.nothing_is_logged,
    "shared.mails": contact_not_shared_mail.mails_carry_their_own,
    "shared.held": contact_not_shared_mail.others_details_are_held,
    "shared.pages": contact_not_shared_pages.pages_tell_nobody,
    "shared.confined": contact_not_shared.front_is_confined,
    "shared.fences": contact_not_shared.fences_are_up,
    "shared.wire": contact_not_shared.undeclared_is_refused,
    "shared.doors": contact_not_shared.doors_are_those_of_the_policy,
    "visits.nowhere": visitors.lies_nowhere,
    "visits.spool": visitors.spool_holds_sums,
    "visits.rows": visitors.rows_are_no_hits,
    "visits.tables": visitors.tables_have_no_place,
    "visits.files": visitors.files_are_declared,
    "visits.log": visitors.log_names_no_visit,
    "visits.asked": visitors.who_asks_is_not_counted,
    "visits.stored": visitors.nothing_is_stored_with_you,
    "popular.counted": visitors.walk_is_counted,
    "popular.shown": visitors.walk_was_shown,
    "cards.masked": cards_not_kept.forms_mask_them,
    "cards.filed": cards_not_kept.filed_without_it,
    "cards.nowhere": cards_not_kept.none_lies_about,
}
"""The function of each proof, by the id in `policy.promises`; a test holds the two equal."""

_RESTS_ON = (
    "proofs/*.py",
    "proofs/instruments/*.py",
    "policy/promises.py",
    "gate/loopback/*.py",
    "gate/tripwire_log.py",
)


def digest_of(source: Path) -> str:
    """Return the SHA-256, in hex, of the files that verdicts depend on, in the `troth` folder `source`."""
    files = sorted({path for pattern in _RESTS_ON for path in source.glob(pattern)})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()

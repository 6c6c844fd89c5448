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
    "policy.page": policy_current.page_is_latest_version,
    "policy.words": policy_current.page_has_every_sentence,
    "policy.versions": policy_current.versions_are_unchanged,
    "policy.marks": policy_current.marks_match_results,
    "policy.tables": policy_current.tables_match_data_map,
    "policy.times": policy_current.retention_is_kept,
    "contact.forms": contact_basic.forms_match_settings,
    "contact.refusals": contact_basic.extra_fields_are_rejected,
    "contact.filed": contact_basic.stored_is_what_was_typed,
    "contact.traces": contact_basic.browser_data_is_not_stored,
    "contact.declared": contact_basic.all_data_is_declared,
    "purpose.two": contact_purpose.purposes_are_two,
    "purpose.wrong": contact_purpose.wrong_purpose_opens_nothing,
    "purpose.ledger": contact_purpose.every_access_is_logged,
    "purpose.keeper": contact_purpose.only_vault_opens_records,
    "shared.readable": contact_not_shared.no_details_stored_in_plain,
    "shared.logs": contact_not_shared.no_details_logged,
    "shared.mails": contact_not_shared_mail.mails_hold_own_details_only,
    "shared.held": contact_not_shared_mail.mails_with_others_details_are_held,
    "shared.pages": contact_not_shared_pages.pages_load_nothing_foreign,
    "shared.confined": contact_not_shared.sandboxes_refuse_access,
    "shared.fences": contact_not_shared.processes_are_sandboxed,
    "shared.wire": contact_not_shared.undeclared_connections_are_refused,
    "shared.doors": contact_not_shared.doors_match_policy,
    "visits.nowhere": visitors.no_traces_stored,
    "visits.spool": visitors.spool_holds_totals,
    "visits.rows": visitors.hits_leave_no_rows,
    "visits.tables": visitors.tables_are_declared,
    "visits.files": visitors.files_are_declared,
    "visits.log": visitors.log_has_no_visits,
    "visits.asked": visitors.opt_outs_are_not_counted,
    "visits.stored": visitors.browser_stores_nothing,
    "popular.counted": visitors.visit_is_counted,
    "popular.shown": visitors.figures_match_tables,
    "cards.masked": cards_not_kept.forms_mask_card_numbers,
    "cards.filed": cards_not_kept.stored_message_is_masked,
    "cards.nowhere": cards_not_kept.no_card_numbers_stored,
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

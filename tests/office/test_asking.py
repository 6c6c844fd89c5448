"""What cannot be undone is asked first. Every address that takes a POST says here which it is; a new one must, too."""

import re

import pytest
from django.urls import get_resolver

from tests.office.test_roles import sign_in
from troth.audience.api import tokens
from troth.audience.models import Annotation, ApiToken
from troth.audience.queries import annotations, site_time
from troth.contact.models import Canned
from troth.kit.roles import Role
from troth.office import operators
from troth.office.models import Operator

ASKED = {
    "team_remove", "held_release", "held_drop", "held_spare", "held_uphold", "api_token_end",
    "statistics_note_remove", "canned_change", "campaign_delete", "campaign_send", "campaign_resume", "campaign_cancel",
    "campaign_retry", "mail_template_delete", "refund_order",
}  # fmt: skip
"""One press asks, the second does it."""
A_PAGE_BEFORE = {
    "delete_person": "its own page says what goes and what stays",
    "publish_policy": "what changed is shown, and has to be put into words",
    "answer": "the answer is typed",
    "edit_person": "the form shows what is there",
    "topic": "the form shows what is there",
    "mail_template": "the form shows what is there",
    "campaign_schedule": "its own page says what is sent to how many; it can be called off until then",
    "import_confirm": "the preview says who comes in",
    "mfa_deactivate_totp": "its own page asks",
    "mfa_remove_webauthn": "its own page asks",
    "mfa_generate_recovery_codes": "its own page asks",
}
UNDOABLE = {
    "restrict_person": "unfreeze", "thread_state": "reopen, close", "thread_label": "put on, take off",
    "statistics_take_out": "put back", "statistics_put_back": "take out again", "team_role": "the role before",
    "look": "the look before", "campaign_hide": "show", "campaign_publish": "add or remove again",
    "topic_archive": "restore", "campaign_pause": "resume",
    "campaign_unschedule": "schedule again", "campaign_save": "it overwrites nothing unseen",
}  # fmt: skip
HARMLESS = {
    "search_people", "find_messages", "consent", "export_people", "export_person", "access_log_verify",  # look, or save
    "statistics_note", "canned", "team_add", "team_link", "api_tokens", "run_checks",  # add something
    "campaign_new", "campaign_from_feed", "campaign_feed_items",
    "campaign_check_dns", "campaign_add_image", "campaign_test", "campaign_duplicate", "topic_new",
    "campaign_recipients_export", "mail_template_new", "find_orders", "resend_order",
    "import_people", "import_check", "import_discard",  # nothing is imported; the operator has the file
    "account_login", "account_logout", "account_reauthenticate", "account_change_password", "account_set_password",
    "mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_activate_totp",
    "mfa_add_webauthn", "mfa_download_recovery_codes", "welcome",
}  # fmt: skip
_FILLED = {"uuid": "018f0000-0000-7000-8000-000000000000", "int": "1", "str": "x"}


def _routes():
    for pattern in get_resolver("troth.office.urls").url_patterns:
        path = re.sub(r"<(\w+):\w+>", lambda found: _FILLED[found[1]], str(pattern.pattern))
        yield pattern.name, f"/{path}", pattern.callback


@pytest.fixture
def owner(site):
    return sign_in(Role.OWNER)


def test_every_address_that_takes_a_post_says_whether_it_asks_first(owner):
    said = ASKED | set(A_PAGE_BEFORE) | set(UNDOABLE) | HARMLESS
    silent = [(name, path) for name, path, _ in _routes() if name not in said]
    assert [name for name, path in silent if owner.post(path).status_code != 405] == []
    assert said <= {name for name, _, _ in _routes()}


def test_what_says_that_it_asks_does():
    views = {name: view for name, _, view in _routes()}
    assert {name for name, view in views.items() if getattr(view, "asks_first", False)} == ASKED


def test_one_press_removes_nothing_and_the_second_does(owner):
    operators.add("Otto <b>", "otto@example.com")
    annotations.add(site_time.today(), "Release 4.2")
    tokens.add("Monthly")
    canned = Canned.objects.create(title="Hours", text="Nine to five.")
    otto = Operator.objects.get(email="otto@example.com")
    presses = [
        (f"/team/{otto.id}/remove/", {}, "Remove Otto &lt;b&gt;?", Operator.objects.filter(id=otto.id)),
        (f"/visitors/notes/{Annotation.objects.get().id}/remove/", {"back": ""}, "Release 4.2", Annotation.objects),
        (f"/api-tokens/{ApiToken.objects.get().id}/revoke/", {}, "Revoke the token Monthly?", ApiToken.objects),
        (f"/inbox/saved-replies/{canned.id}/", {"remove": "yes"}, "Delete “Hours”?", Canned.objects),
    ]
    for path, typed, words, rows in presses:
        page = owner.post(path, typed).content.decode()
        assert words in page and 'name="sure" value="yes"' in page
        assert all(f'name="{name}" value="{value}"' in page for name, value in typed.items())
        assert rows.count() == 1
        assert owner.post(path, {**typed, "sure": "yes"}).status_code == 302
        assert rows.count() == 0


def test_a_question_is_for_nobody_whose_role_may_not(site):
    operators.add("Otto", "otto@example.com")
    otto = Operator.objects.get(email="otto@example.com")
    assert sign_in(Role.CLERK).post(f"/team/{otto.id}/remove/").status_code == 403


def test_changing_a_saved_reply_asks_nothing(owner):
    canned = Canned.objects.create(title="Hours", text="Nine to five.")
    assert (
        owner.post(f"/inbox/saved-replies/{canned.id}/", {"title": "Hours", "text": "Ten to six."}).status_code == 302
    )
    assert Canned.objects.get().text == "Ten to six."

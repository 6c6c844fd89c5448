"""The proofs' own judgement: what they take for a breach, and what they do not. The breaches themselves are mutants."""

import email
import email.policy
import re
from datetime import timedelta

import msgspec
import pytest

from tests.conftest import both
from tests.people.people import signed_up, signup
from tests.proofs.scenes import ready, scene
from troth.core import clock
from troth.core.config.sections import Config, FrontSection, SiteSection
from troth.core.purpose import Category, Reason
from troth.core.rooms import EmailKind
from troth.core.text import card_numbers
from troth.gate.loopback.front_client import FrontAnswer, OwnFront
from troth.gate.loopback.mail_relay import SendAttempt
from troth.gate.loopback.smtp_sink import ReceivedMail
from troth.gate.smtp import Sent
from troth.newsletter import mails as newsletter_mails
from troth.policy import retention
from troth.policy import text as policy
from troth.policy.models import PolicyVersion
from troth.policy.promise import State
from troth.policy.promises import PROMISES
from troth.proofs import (
    cards_not_kept,
    contact_basic,
    contact_not_shared,
    contact_not_shared_mail,
    contact_not_shared_pages,
    contact_purpose,
    policy_current,
)
from troth.proofs.instruments import canary_visit, file_scan, form_parser, invented_cards
from troth.proofs.instruments.encodings import forms
from troth.supervisor import status_file
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, LedgerRow, Person
from troth.worker.composers import COMPOSERS

# -- every control and every proof is there ---------------------------------------------------------------------------


def test_every_control_leads_to_code_that_is_there():
    from importlib import import_module

    for promise in PROMISES:
        assert promise.controls
        for control in promise.controls:
            module, _, name = control.where.partition(":")
            assert getattr(import_module(module), name), control.where


def test_with_nothing_served_no_proof_is_broken_and_those_that_need_it_say_so(site, settings):
    from troth.proofs import run

    ready(site)
    found = {proof.id: proof for promise in run.run(light=False) for proof in promise.proofs}
    assert [one for one in found.values() if one.state == "broken"] == []
    for name in ("policy.page", "contact.forms", "contact.refusals", "contact.filed", "shared.pages", "shared.wire"):
        assert found[name].state == "unproven"
        assert found[name].detail.endswith((".", "?"))
    for name in (
        "purpose.two",
        "purpose.wrong",
        "purpose.ledger",
        "purpose.keeper",
        "purpose.erased",
        "shared.mails",
        "shared.held",
    ):
        assert found[name].state == "kept", found[name]


@pytest.mark.parametrize(("form", "state"), [(200, State.KEPT), (404, State.UNPROVEN)])
def test_a_refusal_shows_nothing_where_the_form_is_not_there(site, settings, monkeypatch, form, state):
    monkeypatch.setattr(OwnFront, "get", lambda self, path, headers=None: FrontAnswer(form, {}, b""))
    monkeypatch.setattr(OwnFront, "post", lambda self, path, fields, headers=None: FrontAnswer(400, {}, b""))
    with scene(site, settings) as here:
        assert contact_basic.extra_fields_are_rejected(here).state is state


# -- the policy -------------------------------------------------------------------------------------------------------


def test_what_is_over_its_time_is_a_breach_until_it_is_gone(site):
    late = Erasure.objects.create(asked_by="person", done_at=clock.now() - retention.RECEIPTS_KEPT - timedelta(days=2))
    told = policy_current.retention_is_kept(None)
    assert told.state is State.BROKEN and "Deletion receipts" in told.detail and "worker" in told.detail
    retention.sweep()
    assert not Erasure.objects.filter(id=late.id).exists()
    assert policy_current.retention_is_kept(None).state is State.KEPT


# -- mails ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mailed(site, settings):
    """A confirmation mail to the first canary, as it left, and how a proof judges a changed one."""
    with scene(site, settings) as here:
        to = here.canaries[1]
        (sample,) = contact_not_shared_mail._confirmation(to)
        from troth.gate.loopback import mail_relay

        (went,) = mail_relay.send([sample.mail], site, settings.TROTH_CONFIG)
        others = [form for one in here.canaries if one is not to for form in forms(one.texts())]

        def judge(content=None, *, sender=None, recipients=None, outcome=None, twice=False):
            (taken,) = went.received
            changed = ReceivedMail(sender or taken.sender, recipients or taken.recipients, content or taken.content)
            seen = SendAttempt(outcome or Sent(), (changed, changed) if twice else (changed,))
            return contact_not_shared_mail._fault(here, sample, seen, others)

        judge.content = went.received[0].content
        judge.to, judge.other = to.invented, here.canaries[0].invented
        yield judge


def test_a_mail_as_it_should_be_is_let_pass(mailed):
    assert mailed() == ""


def test_what_is_wrong_with_a_mail_is_seen(mailed):
    import base64
    import hashlib

    content, to, other = mailed.content, mailed.to, mailed.other
    digest = hashlib.sha256(to.email.lower().encode()).hexdigest()
    # RFC 2045 breaks base64 into lines: a detail may lie over the break.
    long = base64.encodebytes(b"x" * 50 + other.email.encode() + b"y" * 50).replace(b"\n", b"\r\n")
    for what, changed in {
        "another recipient": {"recipients": (to.email, "partner@example.com")},
        "was sent 2 times": {"twice": True},
        "not the sender in the settings": {"sender": "bounces@partner.example"},
        "directs replies": {"content": b"Reply-To: partner@example.com\r\n" + content},
        "header that is not allowed: x-id": {"content": b"X-Id: 12\r\n" + content},
        "header that is not allowed: cc": {"content": b"Cc: partner@example.com\r\n" + content},
        "another person": {"content": content + other.email.encode()},
        "another person’s": {"content": content + long},
        "more of their details": {"content": content + to.telephone.encode()},
        "address in another form": {"content": content + digest.encode()},
        "link to another site": {
            "content": content.replace(b"http://127.0.0.1:18300/confirm", b"http://count.example/confirm")
        },
        "loads content": {"content": content.replace(b"</div></body>", b"<img src='/p.gif'></div></body>")},
    }.items():
        assert what in mailed(**changed), what


def test_a_stranger_whose_name_stands_in_the_mails_breaks_no_proof(site, settings):
    """That a mail is held for one who is called like its words is no breach: what counts is what it carries."""
    for number, name in enumerate(("is a trial", "works again since this morning", "Thank You", "See Also")):
        signed_up(site, signup(f"p{number}@example.net", name))
    with scene(site, settings, count=4) as here:
        carried, stopped = (
            contact_not_shared_mail.mails_hold_own_details_only(here),
            contact_not_shared_mail.mails_with_others_details_are_held(here),
        )
    assert (carried.state, stopped.state) == (State.KEPT, State.KEPT), (carried.detail, stopped.detail)


def test_a_mail_that_carries_anothers_details_breaks_its_proof_though_it_is_held(site, settings, monkeypatch):
    with scene(site, settings) as here:
        other = here.canaries[0].invented.email
        title = msgspec.structs.replace(settings.TROTH_CONFIG.newsletter, title="News")
        monkeypatch.setattr(newsletter_mails.ConfirmationMail, "subject", lambda self: f"{title.title} for {other}")
        found = contact_not_shared_mail.mails_hold_own_details_only(here)
    assert (found.state, "another person’s details" in found.detail) == (State.BROKEN, True)


def test_the_answer_the_export_and_the_notice_are_among_them(site, settings):
    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    with scene(site, settings) as here:
        found = contact_not_shared_mail.mails_hold_own_details_only(here)
    assert found.state is State.KEPT, found.detail
    for kind in ("confirmation", "answer", "link", "export", "alarm", "notice"):
        assert kind in found.detail


def test_a_kind_of_email_that_is_new_is_looked_at_or_the_proof_says_that_it_was_not(site, settings, monkeypatch):
    welcome = EmailKind(name="welcome", title="Welcome", to="whoever confirmed", contains="once")
    monkeypatch.setattr(contact_not_shared_mail, "kinds", lambda: {"welcome": welcome})
    composed = newsletter_mails.compose_confirmations
    with scene(site, settings) as here:
        for compose, state in ((composed, State.KEPT), (lambda _rows: {}, State.UNPROVEN)):
            monkeypatch.setitem(COMPOSERS, "welcome", compose)
            found = contact_not_shared_mail.mails_hold_own_details_only(here)
            assert (found.state, "welcome" in found.detail) == (state, True), found.detail


# -- purposes ---------------------------------------------------------------------------------------------------------


def test_a_ledger_that_was_altered_breaks_its_proof(site, settings):
    with scene(site, settings, light=False) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, (), trouble="not tried")
        assert contact_purpose.every_access_is_logged(here).state is State.KEPT
        row = LedgerRow.objects.order_by("number").first()
        LedgerRow.objects.filter(number=row.number).update(content=bytes(row.content)[:-1] + b"\x07")
        found = contact_purpose.every_access_is_logged(here)
    assert (found.state, "at row 1" in found.detail or "first at row 1" in found.detail) == (State.BROKEN, True)


@both
def test_others_may_use_the_ledger_in_the_same_moments(site, settings, monkeypatch):
    from troth.vault import ledger

    right = ledger.write

    def beside(reason, actor, people):
        right(Reason.LIST_PEOPLE, "worker", [])
        return right(reason, actor, people)

    with scene(site, settings, light=False) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, (), trouble="not tried")
        monkeypatch.setattr(ledger, "write", beside)
        found = contact_purpose.every_access_is_logged(here)
    assert found.state is State.KEPT, found.detail


def test_a_ledger_that_was_cut_after_an_earlier_run_breaks_its_proof(site, settings):
    from troth.vault.models import LedgerHead

    with scene(site, settings) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, (), trouble="not tried")
        assert contact_purpose.every_access_is_logged(here).state is State.KEPT
        last = LedgerRow.objects.order_by("-number")[5]
        LedgerRow.objects.filter(number__gt=last.number).delete()
        LedgerHead.objects.update(number=last.number, link=last.link)
        found = contact_purpose.every_access_is_logged(here)
    assert found.state is State.BROKEN and "earlier run" in found.detail


def test_while_a_proof_holds_the_ledger_nothing_is_left_of_it(site, settings):
    from troth.vault import ledger

    written, opening = ledger.write, keeper().boxer.open
    with scene(site, settings) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, (), trouble="not tried")
        contact_purpose.every_access_is_logged(here)
    assert ledger.write is written
    assert keeper().boxer.open == opening


# -- forms and pages --------------------------------------------------------------------------------------------------


def test_every_field_of_a_page_is_seen_named_or_not():
    page = (
        '<form><input name="email" value="a"><textarea name=message></textarea><select name="land"></select>'
        '<input type="hidden" id="screen"><input type=submit><button name="act"></button></form><input name="out">'
    )
    assert [one.name for one in form_parser.fields(page)] == ["email", "message", "land", "act", "out", ""]


SELF = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self' http://localhost:8702"


def answer(body="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FrontAnswer(200, {"content-security-policy": SELF, "referrer-policy": "no-referrer", **named}, body.encode())


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (answer('<img src="/assets/a.svg"><form action="http://127.0.0.1:18300/contact">'), ""),
        (answer('<a href="https://elsewhere.example/">a link that one follows</a>'), ""),
        (answer(set_cookie="a=1"), "returning browser"),
        (answer(etag='"12"'), "returning browser"),
        (answer(content_security_policy="default-src *"), "load content from other sites"),
        (answer(content_security_policy=SELF + "; img-src https://count.example"), "load content from other sites"),
        (answer(referrer_policy="unsafe-url"), "send a referrer"),
        (answer('<script src="https://count.example/t.js"></script>'), "loads content"),
        (answer('<img src="//count.example/p.gif">'), "loads content"),
        (answer('<link rel="preconnect" href="https://count.example">'), "loads content"),
        (answer('<form action="https://count.example/take">'), "loads content"),
        (answer('<meta http-equiv="refresh" content="0;url=https://count.example">'), "loads content"),
        (answer("<style>p{background:url(https://count.example/p.gif)}</style>"), "loads content"),
    ],
)
def test_a_page_that_tells_somebody_else_is_seen(site, settings, given, fault):
    with scene(site, settings) as here:
        found = contact_not_shared_pages._fault(here, given)
    assert (fault in found) if fault else found == ""


# -- the policy -------------------------------------------------------------------------------------------------------


def test_the_pieces_of_a_policy_are_its_own_words_in_order(site, settings):
    bound = "[We never *share* them.]{promise=contact.not-shared} Ask {{ vendor }}."
    text = f"# What we do\n\n{bound}\n\n{{{{ how_long }}}}\n\n- one\n- two\n"
    pieces = policy.own_words(text)
    assert pieces == ["What we do", "We never", "share", "them.", "Ask", ".", "one", "two"]


def test_a_version_that_was_rewritten_whole_is_seen_by_whoever_saw_it_before(site, settings):
    import hashlib

    def version(text):
        made = PolicyVersion(number=1, text=text, digest=hashlib.sha256(text.encode()).hexdigest())
        made.link = made.linked()
        made.save()

    with scene(site, settings) as here:
        version("We keep nothing.")
        assert policy_current.versions_are_unchanged(here).state is State.KEPT
        version("We keep everything.")
        found = policy_current.versions_are_unchanged(here)
    assert (found.state, "earlier run" in found.detail) == (State.BROKEN, True)


# -- cards ------------------------------------------------------------------------------------------------------------


def test_the_numbers_that_are_typed_are_such_as_the_search_must_find():
    for _ in range(200):
        number = invented_cards.new_number()
        for spelled in invented_cards.spellings(number):
            assert card_numbers.find(f"my card is {spelled}, until next year"), spelled


def test_four_digits_of_a_number_may_stay_and_six_may_not():
    number = "4111111111111111"
    for text in ("•••• 1111", "4111 and 1111", "the 11th of 11.2026"):
        assert not invented_cards.shows_more(text, "4929123456781111"), text
    for text in ("411111•••• 1111", "4111 11", "4111-11", "\uff14\uff11\uff11\uff11\uff11\uff11"):
        assert invented_cards.shows_more(text, number), text


def test_a_line_that_hands_mail_to_the_door_beside_those_that_may_is_seen(site, settings, monkeypatch):
    assert contact_not_shared_mail._senders() == contact_not_shared_mail._SENDERS
    monkeypatch.setattr(
        contact_not_shared_mail, "_senders", lambda: {**contact_not_shared_mail._SENDERS, "contact/queries.py": 1}
    )
    with scene(site, settings) as here:
        found = contact_not_shared_mail.mails_hold_own_details_only(here)
    assert (found.state, "contact/queries.py" in found.detail) == (State.BROKEN, True)


# -- where things lie -------------------------------------------------------------------------------------------------


def test_everything_in_the_sites_folder_is_looked_through_but_the_keys(site, settings):
    for path in ("data/a", "spool/b", "public/c/d", "notes/e", "f.log", "keys/secret"):
        (site.root / path).parent.mkdir(parents=True, exist_ok=True)
        (site.root / path).write_text("Quillon Marshwiggle was here")
    with scene(site, settings) as here:
        looked = file_scan.everywhere(here, forms(["Quillon Marshwiggle"]))
    assert set(looked.places) == {"data/a", "spool/b", "public/c/d", "notes/e", "f.log"}


def test_backups_outside_the_site_are_looked_through_once_a_day(site, settings, tmp_path):
    import msgspec

    outside = tmp_path / "backups"
    outside.mkdir()
    (outside / "plain.sql").write_text("Quillon Marshwiggle was here")
    backup = msgspec.structs.replace(settings.TROTH_CONFIG.backup, folder=str(outside))
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, backup=backup)
    for light, found in ((True, ()), (False, ("plain.sql",))):
        with scene(site, settings, light=light) as here:
            assert file_scan.everywhere(here, forms(["Quillon Marshwiggle"])).places == found


def test_a_large_database_is_searched_once_a_day_and_its_log_each_time(site, settings, monkeypatch):
    monkeypatch.setattr(file_scan, "_LARGE", 1000)
    with scene(site, settings) as here:
        assert file_scan.left_for_the_day(here) == [site.database]
        (site.data / "notes").write_bytes(b"Quillon Marshwiggle was here")
        assert file_scan.everywhere(here, forms(["Quillon Marshwiggle"])).places == ("data/notes",)
        assert "once a day" in contact_not_shared.no_details_stored_in_plain(here).detail
    with scene(site, settings, light=False) as here:
        assert file_scan.left_for_the_day(here) == []


def house(site, *, log="", pids=()):
    import json
    import time

    processes = [{"name": name, "up": True, "since": 0, "restarts": 0, "pid": pid} for name, pid in pids]
    told = {"at": int(time.time() * 1000), "log": log, "processes": processes}
    (site.data / "house.json").write_text(json.dumps(told))


def test_the_log_is_looked_through_with_those_before_it(site, settings, tmp_path):
    log = tmp_path / "troth.log"
    log.write_text("today\n")
    (tmp_path / "troth.log.1").write_text("yesterday Quillon Marshwiggle\n")
    house(site, log=str(log))
    with scene(site, settings) as here:
        files, where, words = file_scan.in_the_log(here, forms(["Quillon Marshwiggle"]))
    assert (files, where, words) == (2, ["troth.log.1"], "2 log files")


def test_a_log_that_goes_nowhere_is_said_and_one_that_nobody_names_is_an_error(site, settings):
    with scene(site, settings) as here:
        with pytest.raises(OSError, match="No such file"):
            file_scan.in_the_log(here, [b"something else"])
        house(site)
        assert file_scan.in_the_log(here, [b"something else"])[2].startswith("no log (it goes to a terminal")
        house(site, log="/nowhere/troth.log")
        with pytest.raises(PermissionError):
            file_scan.in_the_log(here, [b"something else"])


def test_what_the_program_says_while_it_files_somebody_breaks_the_proof(site, settings):
    house(site)
    with scene(site, settings) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, ())
        assert contact_not_shared.no_details_logged(here).state is State.KEPT
        name = here.canaries[0].invented.name
    with scene(site, settings) as here:
        here.shared["called"] = canary_visit.CanaryCall(here.caller, ())
        object.__setattr__(here, "output", f"signed up: {here.canaries[0].invented.name}\n{name}")
        assert contact_not_shared.no_details_logged(here).state is State.BROKEN


# -- fences -----------------------------------------------------------------------------------------------------------


def test_a_process_without_a_fence_is_seen_and_one_that_ended_is_not_held_against_it(site, settings):
    import os

    with scene(site, settings) as here:
        house(site, pids=[("worker", os.getpid())])
        assert contact_not_shared.processes_are_sandboxed(here).state is State.BROKEN
        house(site, pids=[("worker", 2**22 + 7)])
        assert contact_not_shared.processes_are_sandboxed(here).state is State.UNPROVEN


def test_where_the_supervisor_has_been_silent_its_numbers_are_not_believed(site, settings, monkeypatch):
    import os

    house(site, pids=[("worker", os.getpid())])
    at, seen = status_file.read(site.data)
    monkeypatch.setattr(status_file, "read", lambda data: (at - 60_000, seen))
    with scene(site, settings) as here:
        assert contact_not_shared.processes_are_sandboxed(here).state is State.UNPROVEN


def test_a_reach_beyond_the_own_doors_while_canaries_are_filed_is_a_breach(site, settings):
    with scene(site, settings, reached=["newsletter/services.py:12"]) as here:
        found = contact_not_shared.undeclared_connections_are_refused(here)
    assert (found.state, "newsletter/services.py:12" in found.detail) == (State.BROKEN, True)


# -- the own front ----------------------------------------------------------------------------------------------------


def config(**front):
    return Config(site=SiteSection(name="x", url="https://www.example.com/troth"), front=FrontSection(**front))


def test_behind_a_web_server_it_asks_as_one_that_comes_encrypted_from_outside():
    front = OwnFront(config(listen="127.0.0.1:18301", trusted_proxies=["127.0.0.0/8"]))
    told = front._as_from_outside()
    assert told["X-Forwarded-Proto"] == "https"
    assert re.fullmatch(r"2001:db8:[0-9a-f]{4}:[0-9a-f]{4}::1", told["X-Forwarded-For"])
    assert told != front._as_from_outside()
    assert OwnFront(config(listen="127.0.0.1:18301"))._as_from_outside() == {}


def test_a_front_that_listens_to_the_world_only_cannot_be_tried_from_here():
    from troth.gate.doors import DoorError

    with pytest.raises(DoorError):
        OwnFront(config(listen="192.0.2.7:80"))
    assert OwnFront(config(listen="0.0.0.0:18301")).place == ("127.0.0.1", 18301)


# -- the call ---------------------------------------------------------------------------------------------------------


def test_while_the_worker_is_silent_nobody_calls(site, settings):
    """What is in the spool would be filed when the canary is gone, as somebody new, and mailed."""
    with scene(site, settings) as here:
        told = canary_visit.called(here)
        assert "worker is not running" in told.trouble
        assert not (site.people_keys / "proving-late").exists()
        assert contact_basic.stored_is_what_was_typed(here).state is State.UNPROVEN
        assert cards_not_kept.stored_message_is_masked(here).state is State.UNPROVEN


def test_what_is_filed_beyond_what_was_typed_is_seen(site, settings):
    from troth.vault.records import Consent

    with scene(site, settings) as here:
        who = here.caller
        told = canary_visit.CanaryCall(who, (), requested=tuple(settings.TROTH_CONFIG.newsletter.fields))
        plain = who.asked([Category.NAME])
        consent = Consent("asked", who.request, 0)
        here.shared["called"] = told
        settings.TROTH_CONFIG = here.config
        assert (plain.name, plain.company) == (who.details.name, None)
        told.details, told.consents = [who.asked([Category.NAME, Category.TELEPHONE])], [consent]
        assert contact_basic.stored_is_what_was_typed(here).state is State.BROKEN
        told.details, told.consents = [plain], []
        assert contact_basic.stored_is_what_was_typed(here).state is State.BROKEN
        assert Person.with_canaries.count() == 3


def test_a_message_parts_are_looked_at_decoded_and_joined():
    raw = (
        b"To: a@example.org\r\nSubject: =?utf-8?b?UXVpbGxvbg==?=\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"UXVpbGxvbiBN\r\nYXJzaA==\r\n"
    )
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    parts = list(contact_not_shared_mail._parts(ReceivedMail("", (), raw), message))
    assert b"Quillon" in parts
    assert b"Quillon Marsh" in parts
    assert any(b"UXVpbGxvbiBNYXJzaA" in part for part in parts)
    assert b"a@example.org" not in parts[1]


def test_the_clock_of_a_run_is_ours():
    assert clock.now().tzinfo is not None

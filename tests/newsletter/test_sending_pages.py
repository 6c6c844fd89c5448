"""Sending a campaign from the console: who gets it, what stops it, how far it is, and whom it did not reach."""

import csv
import io
import re
import uuid
from datetime import timedelta

import msgspec
import pytest

from tests.conftest import both
from tests.newsletter.test_editor_pages import HTMX, text
from tests.office.test_people import uses
from troth.core import clock
from troth.core.purpose import Purpose, Reason
from troth.gate import bulk
from troth.gate.models import Delivery
from troth.gate.sender_dns import stored
from troth.gate.sender_dns.examine import RecordCheck
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.models import Campaign
from troth.vault import ledger
from troth.vault.models import Person

State = Campaign.State


@pytest.fixture(autouse=True)
def _signed(monkeypatch):
    """Emails are signed, and nothing else is in the way of a campaign."""
    monkeypatch.setattr(sending, "_unsigned", lambda: iter(()), raising=False)


@pytest.fixture
def started(written, subscribers):
    """`started(states)` starts a campaign to as many people, with these states of their emails."""

    def start(*states: str, state: str = State.SENDING, subject: str = "Spring news") -> Campaign:
        made, ids = written(subject), subscribers(len(states))
        bulk.add(CAMPAIGN, made.id, ids, "example.com")
        for person, became in zip(ids, states, strict=True):
            over = became not in ("queued", "sending", "held")
            Delivery.objects.filter(about=made.id, person=person).update(
                state=became,
                next_at=None if over else clock.now(),
                reason="" if became in ("sent", "queued") else "no-such-address",
                code=550 if became == "failed" else None,
                done_at=clock.now() if over else None,
            )
        Campaign.objects.filter(id=made.id).update(state=state, audience=len(ids), started_at=clock.now())
        made.refresh_from_db()
        return made

    return start


# -- before it is sent ------------------------------------------------------------------------------------------------


@both
def test_the_review_says_who_gets_it_and_what_it_says(desk, written, subscribers):
    subscribers(3)
    made = written(preheader="What is new")
    page = text(desk.get(f"/newsletter/{made.id}/review/"))
    assert "Recipients now" in page and "<dd>3<small>All subscribers" in page
    assert "What is new" in page and "Send to 3 subscribers…" in page


def test_what_stops_it_is_named_with_its_fix_and_no_button_sends_it(desk, written):
    made = written(subject="")
    page = text(desk.get(f"/newsletter/{made.id}/review/"))
    assert "It cannot be sent yet" in page and "There is no subject." in page and "Nobody would get it" in page
    assert f"/newsletter/{made.id}/send/" not in page and f"/newsletter/{made.id}/schedule/" not in page
    answer = desk.client.post(f"/newsletter/{made.id}/send/", {"sure": "yes"}, follow=True)
    assert "There is no subject." in text(answer)
    made.refresh_from_db()
    assert made.state == State.DRAFT


def test_sending_asks_first_and_says_to_how_many(desk, written, subscribers):
    subscribers(3)
    made = written()
    page = text(desk.post(f"/newsletter/{made.id}/send/"))
    assert "Send to 3 subscribers now?" in page and "sent emails cannot be recalled" in page
    made.refresh_from_db()
    assert made.state == State.DRAFT
    answer = desk.post(f"/newsletter/{made.id}/send/", {"sure": "yes"})
    assert answer.headers["Location"] == f"/newsletter/{made.id}/"
    made.refresh_from_db()
    assert made.state == State.PREPARING


def test_somebodys_details_in_the_text_are_sent_only_if_an_owner_accepts_them(desk, written, subscribers):
    subscribers(2)
    made = written(markdown="Write to reader1@example.com")
    page = text(desk.get(f"/newsletter/{made.id}/review/"))
    assert "looks like somebody’s details" in page and 'name="accept"' in page
    desk.post(f"/newsletter/{made.id}/send/", {"sure": "yes"})
    made.refresh_from_db()
    assert made.state == State.DRAFT
    page = text(desk.post(f"/newsletter/{made.id}/send/", {"accept": "yes"}))
    assert 'name="accept" value="yes"' in page, "the question carries it on"
    desk.post(f"/newsletter/{made.id}/send/", {"accept": "yes", "sure": "yes"})
    made.refresh_from_db()
    assert made.state == State.PREPARING


@pytest.fixture
def berlin(settings):
    """The site's time zone is Berlin's."""
    audience = msgspec.structs.replace(settings.TROTH_CONFIG.audience, timezone="Europe/Berlin")
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, audience=audience)


def test_it_is_scheduled_in_the_sites_time_zone_changed_and_called_off(desk, written, subscribers, berlin):
    subscribers(1)
    made = written()
    year = clock.now().year + 1
    path = f"/newsletter/{made.id}/"
    answer = desk.client.post(f"{path}schedule/", {"day": f"{year}-12-01", "time": "09:00"}, follow=True)
    page = text(answer)
    assert f"Scheduled for 1 December {year}, 09:00 (Europe/Berlin)." in page
    made.refresh_from_db()
    assert made.state == State.SCHEDULED and f"{made.due_at:%H:%M}" == "08:00"
    assert f'value="{year}-12-01"' in page and 'value="09:00"' in page and "Change time" in page
    assert f"1 Dec {year}, 09:00" in text(desk.get("/newsletter/?tab=scheduled"))
    desk.post(f"{path}schedule/", {"day": f"{year}-12-02", "time": "10:30"})
    made.refresh_from_db()
    assert made.scheduled_time == f"{year}-12-02T10:30"
    desk.post(f"{path}unschedule/")
    made.refresh_from_db()
    assert made.state == State.DRAFT and made.due_at is None


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        ({"day": "", "time": "09:00"}, 422, "Choose a day."),
        ({"day": "2026-12-01", "time": ""}, 422, "Choose a time."),
        ({"day": "2020-12-01", "time": "09:00"}, 409, "This time is past."),
        ({"day": "2027-03-28", "time": "02:30"}, 409, "02:30 does not exist on 28 March 2027 in Europe/Berlin"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_the_fix(desk, written, subscribers, berlin, typed, status, words):
    subscribers(1)
    made = written()
    answer = desk.post(f"/newsletter/{made.id}/schedule/", typed)
    assert answer.status_code == status and words in text(answer)
    made.refresh_from_db()
    assert made.state == State.DRAFT


# -- while and after it is sent ---------------------------------------------------------------------------------------


@both
def test_the_numbers_of_a_campaign_add_up_to_its_audience(desk, started):
    made = started("sent", "sent", "failed", "uncertain", "suppressed", "skipped", "queued", "held")
    page = text(desk.get(f"/newsletter/{made.id}/"))
    table = page[page.index("<tbody>") : page.index("</table>")]
    numbers = [int(count) for count in re.findall(r'<td class="right">(\d+)</td>', table)]
    assert numbers == [2, 1, 1, 1, 1, 1, 1, 8] and "does not add up" not in page
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="4"', page)]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_numbers_that_do_not_add_up_are_said(desk, started):
    made = started("sent")
    Campaign.objects.update(audience=5)
    assert "does not add up" in text(desk.get(f"/newsletter/{made.id}/"))


def test_the_part_that_refreshes_itself_reloads_the_page_when_the_state_changes(desk, started):
    made = started("sent", "queued")
    part = f"/newsletter/{made.id}/progress/"
    answer = desk.client.get(part, headers=HTMX)
    assert text(answer).lstrip().startswith('<div id="sending" data-going-on>')
    assert "HX-Refresh" not in answer.headers
    Campaign.objects.update(state=State.SENT, finished_at=clock.now())
    answer = desk.client.get(part, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true" and "data-going-on" not in text(answer)


def test_speed_and_time_left_are_shown_while_it_goes(desk, started, monkeypatch):
    made = started("queued", "sent")
    monkeypatch.setattr(bulk, "sent_since", lambda about, since: 120)
    Campaign.objects.update(started_at=clock.now() - timedelta(minutes=2))
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "1.0 emails a second" in page and "about 1\u00a0s left" in page


def test_why_the_worker_paused_it_is_shown(desk, started):
    made = started("queued", state=State.PAUSED)
    Campaign.objects.update(problem="The text contains what looks like somebody’s details.")
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "Paused by itself." in page and "looks like somebody’s details" in page


def test_it_is_paused_at_once_resumed_and_cancelled_after_a_question(desk, started):
    made = started("queued", "sent")
    path = f"/newsletter/{made.id}/"
    assert "Pause" in text(desk.get(path)) and "Resume…" not in text(desk.get(path))
    desk.post(f"{path}pause/")
    made.refresh_from_db()
    assert made.state == State.PAUSED and "Resume…" in text(desk.get(path))
    assert "Still to be sent to: 1 subscriber." in text(desk.post(f"{path}resume/"))
    desk.post(f"{path}resume/", {"sure": "yes"})
    made.refresh_from_db()
    assert made.state == State.SENDING
    assert "Cancel this campaign for good?" in text(desk.post(f"{path}cancel/"))
    desk.post(f"{path}cancel/", {"sure": "yes"})
    made.refresh_from_db()
    assert made.state == State.CANCELLED and "Cancel…" not in text(desk.get(path))


def test_failed_and_uncertain_emails_are_tried_again_after_a_question(desk, started):
    made = started("failed", "failed", "uncertain", "sent", state=State.SENT)
    path = f"/newsletter/{made.id}/"
    page = text(desk.get(path))
    assert "Try 2 failed again…" in page and "Try 1 uncertain again…" in page
    assert "Some of them may get it twice" in text(desk.post(f"{path}retry/", {"state": "uncertain"}))
    assert "may get it twice" not in text(desk.post(f"{path}retry/", {"state": "failed"}))
    desk.post(f"{path}retry/", {"state": "failed", "sure": "yes"})
    assert Delivery.objects.filter(about=made.id, state="queued").count() == 2
    made.refresh_from_db()
    assert made.state == State.SENDING
    for nothing in ({}, {"state": "sent"}):
        assert desk.post(f"{path}retry/", {**nothing, "sure": "yes"}).status_code == 404


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("pause", State.DRAFT), ("pause", State.SENT), ("resume", State.SENDING), ("cancel", State.SENT),
        ("cancel", State.DRAFT), ("retry", State.CANCELLED), ("unschedule", State.SENDING), ("send", State.SENT),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_state_changes_nothing_and_is_said(desk, started, action, state):
    made = started("failed", "sent")
    Campaign.objects.update(state=state)
    typed = {"sure": "yes", "state": "failed"}
    answer = desk.client.post(f"/newsletter/{made.id}/{action}/", typed, follow=True)
    assert answer.status_code == 200 and 'class="notice error"' in text(answer)
    made.refresh_from_db()
    assert made.state == state and Delivery.objects.filter(state="failed").count() == 1


def test_visits_and_the_websites_archive_are_linked(desk, started):
    made = started("sent", state=State.SENT)
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "carry no campaign name" in page and "See it in your website’s archive" in page
    Campaign.objects.update(link_name="spring-news", public=False)
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "/visitors/?period=91&campaign=spring-news" in page and "not in your website’s archive" in page
    assert "Spring news" in page and desk.get("/visitors/?period=91&campaign=spring-news").status_code == 200


# -- whom it did not reach --------------------------------------------------------------------------------------------


@both
def test_whom_it_did_not_reach_is_shown_and_the_access_log_says_who_looked(desk, started):
    made = started("failed", "uncertain", "sent")
    page = text(desk.get(f"/newsletter/{made.id}/recipients/failed/"))
    assert "reader0@example.com" in page and "The address does not exist" in page and "550" in page
    assert "reader1@" not in page and "reader2@" not in page
    assert "Viewing this page was logged: 1 person, purpose: administration." in page
    (use,) = uses()
    assert (use.reason, use.purpose) == (Reason.LIST_RECIPIENTS, Purpose.ADMINISTRATION)
    assert use.people == [Delivery.objects.get(state="failed").person_id.bytes]
    assert ledger.verify_chain() == []


def test_a_restricted_person_is_listed_without_their_details(desk, started):
    made = started("failed", "failed")
    Person.objects.filter(id=Delivery.objects.filter(about=made.id).first().person_id).update(frozen_at=clock.now())
    page = text(desk.get(f"/newsletter/{made.id}/recipients/failed/"))
    assert page.count("@example.com</a>") == 1 and "(hidden)" in page and "logged: 1 person" in page


def test_they_are_exported_as_csv_and_each_step_is_in_the_access_log(desk, started, monkeypatch):
    from troth.newsletter.campaigns import queries

    monkeypatch.setattr(queries, "STEP", 2)
    made = started("failed", "failed", "failed", "sent")
    answer = desk.post(f"/newsletter/{made.id}/recipients/failed/export/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="recipients-failed.csv"'
    assert rows[0] == ["email", "name", "state", "reason", "code"] and len(rows) == 4
    assert {row[2] for row in rows[1:]} == {"failed"} and {row[4] for row in rows[1:]} == {"550"}
    assert [(use.reason, len(use.people)) for use in uses()] == [(Reason.EXPORT_PEOPLE, 2), (Reason.EXPORT_PEOPLE, 1)]
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("state", ["sent", "queued", "x"])
def test_of_nobody_else_is_there_a_list(desk, started, state):
    made = started("sent")
    assert desk.get(f"/newsletter/{made.id}/recipients/{state}/").status_code == 404
    assert desk.post(f"/newsletter/{made.id}/recipients/{state}/export/").status_code == 404
    assert uses() == []


# -- who may, and how -------------------------------------------------------------------------------------------------

OWNERS_ONLY = ("schedule", "unschedule", "send", "resume", "cancel", "retry", "recipients/failed/export")
POSTS = (*OWNERS_ONLY, "pause")
GETS = ("review", "progress", "recipients/failed")


@pytest.mark.parametrize("action", POSTS)
def test_a_get_does_nothing_and_what_is_not_there_is_not_found(desk, started, action):
    made = started("queued", "failed")
    before = Campaign.objects.values().get()
    assert desk.get(f"/newsletter/{made.id}/{action}/").status_code == 405
    typed = {"sure": "yes", "state": "failed", "day": "2030-01-01", "time": "09:00"}
    assert desk.post(f"/newsletter/{uuid.uuid4()}/{action}/", typed).status_code == 404
    assert Campaign.objects.values().get() == before


@pytest.mark.parametrize("part", GETS)
def test_looking_changes_nothing(desk, started, part):
    made = started("queued", "failed")
    before = Campaign.objects.values().get(), list(Delivery.objects.order_by("id").values())
    desk.get(f"/newsletter/{made.id}/{part}/")
    assert (Campaign.objects.values().get(), list(Delivery.objects.order_by("id").values())) == before
    assert desk.get(f"/newsletter/{uuid.uuid4()}/{part}/").status_code == 404
    assert desk.post(f"/newsletter/{made.id}/{part}/").status_code == 405


def test_support_pauses_and_looks_and_sends_nothing(support, started):
    made = started("queued", "failed")
    page = support.get(f"/newsletter/{made.id}/").content.decode()
    assert "Pause" in page and "Cancel…" not in page and "again…" not in page
    for action in OWNERS_ONLY:
        assert support.post(f"/newsletter/{made.id}/{action}/", {"sure": "yes"}).status_code == 403
    assert support.post(f"/newsletter/{made.id}/pause/").status_code == 302
    assert "Export as CSV" not in support.get(f"/newsletter/{made.id}/recipients/failed/").content.decode()
    Campaign.objects.update(state=State.DRAFT, started_at=None)
    page = support.get(f"/newsletter/{made.id}/review/").content.decode()
    assert "An owner sends it" in page and "/send/" not in page


def test_an_analyst_sees_none_of_it(analyst, started):
    made = started("queued", "failed")
    for part in (*POSTS, *GETS):
        path = f"/newsletter/{made.id}/{part}/"
        assert analyst.get(path).status_code == analyst.post(path, {"sure": "yes"}).status_code == 403


# -- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_each_campaign_under_its_tab_with_its_numbers(desk, started, written):
    started("sent", "sent", "queued", subject="Going")
    written("Half written")
    page = text(desk.get("/newsletter/"))
    assert "Going" in page and "2 of 3" in page and "Half written" not in page, "what is under way comes first"
    assert "Half written" in text(desk.get("/newsletter/?tab=drafts"))
    for tab in ("scheduled", "sent", "hidden"):
        assert "Going" not in text(desk.get(f"/newsletter/?tab={tab}"))
    assert desk.get("/newsletter/?tab=x").status_code == desk.get("/newsletter/?page=2").status_code == 404


@pytest.mark.parametrize("tab", ["drafts", "scheduled", "sending", "sent", "hidden"])
def test_an_empty_list_says_what_to_do(desk, written, tab):
    assert "No campaigns yet" in text(desk.get(f"/newsletter/?tab={tab}"))
    made = written()
    Campaign.objects.filter(id=made.id).update(state=State.SENT if tab != "sent" else State.DRAFT)
    page = text(desk.get(f"/newsletter/?tab={tab}"))
    assert 'class="empty"' in page and "No campaigns yet" not in page


def test_the_numbers_of_what_is_over_are_counted_once_and_again_after_a_retry(desk, started, monkeypatch):
    made, counted, right = started("sent", "failed", state=State.SENT), [], sending.progress
    monkeypatch.setattr(sending, "progress", lambda campaign_id: counted.append(campaign_id) or right(campaign_id))
    Campaign.objects.filter(id=made.id).update(finished_at=clock.now() - timedelta(hours=1))
    for _ in range(3):
        assert "1 of 2" in text(desk.get("/newsletter/?tab=sent"))
    assert len(counted) == 1
    Delivery.objects.filter(about=made.id).update(state="sent")
    Campaign.objects.filter(id=made.id).update(finished_at=clock.now() - timedelta(minutes=30))
    assert "2 of 2" in text(desk.get("/newsletter/?tab=sent"))


def test_an_owner_removes_a_sent_campaign_from_the_websites_archive_and_support_does_not(written, desk, support):
    campaign = written()
    Campaign.objects.filter(id=campaign.id).update(state="sent", started_at=clock.now(), finished_at=clock.now())
    page = f"/newsletter/{campaign.id}/"
    assert "Remove from website archive" in desk.get(page).content.decode()
    assert "Remove from website archive" not in support.get(page).content.decode()
    assert support.post(f"{page}publish/", {"public": "no"}).status_code == 403
    assert Campaign.objects.get().public
    assert desk.post(f"{page}publish/", {"public": "no"}).status_code == 302
    shown = desk.get(page).content.decode()
    assert "Add to website archive" in shown and not Campaign.objects.get().public


# -- DNS records ------------------------------------------------------------------------------------------------------


def test_the_review_shows_the_record_to_publish_and_checks_again_when_asked(support, written, subscribers, settings):
    subscribers(1)
    config, site = settings.TROTH_CONFIG, settings.TROTH_SITE
    url = msgspec.structs.replace(config.site, url="https://www.example.com/troth")
    settings.TROTH_CONFIG = msgspec.structs.replace(config, site=url)
    page = f"/newsletter/{written().id}/review/"
    assert "have not been checked yet" in text(support.get(page))
    site.sender_dns.mkdir(exist_ok=True)
    checks = [
        RecordCheck("SPF", "wrong", "There is no SPF record.", "Publish it.", "example.com", "v=spf1 ~all"),
        RecordCheck("DKIM", "unknown", "DKIM could not be checked.", "Check again later."),
    ]
    stored.write(site, settings.TROTH_CONFIG, checks)
    shown = text(support.get(page))
    assert "It cannot be sent yet" in shown and "There is no SPF record." in shown
    assert "example.com  TXT" in shown and "v=spf1 ~all" in shown and "DKIM could not be checked." in shown
    assert not stored.asked(site)
    answer = support.post(page.replace("review", "check-dns"))
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert stored.asked(site)

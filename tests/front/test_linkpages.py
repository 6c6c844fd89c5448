import uuid
from datetime import timedelta

import pytest

from troth.core import clock
from troth.core.signed_links import Act, LinkSigner
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone

PATHS = {Act.CONFIRM: "/troth/confirm/", Act.UNSUBSCRIBE: "/troth/unsubscribe/"}
THANKS = {Act.CONFIRM: "confirmed", Act.UNSUBSCRIBE: "left"}
both = pytest.mark.parametrize("act", [Act.CONFIRM, Act.UNSUBSCRIBE])


@pytest.fixture
def link(keys):
    return lambda act, expires=None: PATHS[act] + keys.signer.sign(act, uuid.uuid4(), expires)


@both
async def test_a_get_shows_a_button_and_changes_nothing(client, line, link, act):
    for method in ("GET", "HEAD"):
        answer = await client.ask(method, link(act))
        assert answer.status == 200
        assert '<form method="post">' in answer.text
    assert not line.frames


@both
async def test_a_press_goes_sealed_to_the_clerk(client, line, link, keys, act):
    path = link(act)
    answer = await client.post(path)
    assert (answer.status, answer.headers["location"]) == (303, f"/troth/thanks/{THANKS[act]}")
    [(kind, envelope, _, _)] = line.frames
    used = keys.link_used(envelope)
    assert (kind, used.act, used.link) == (2, act, path.rsplit("/", 1)[1])


@both
async def test_a_second_press_is_thanked_and_not_stored_again(client, line, link, act):
    path = link(act)
    assert [(await client.post(path)).status for _ in range(2)] == [303, 303]
    assert len(line.frames) == 1


@both
async def test_a_forged_link_is_refused(client, line, link, act):
    path = link(act)
    broken = path[:-4] + ("AAAA" if path[-4:] != "AAAA" else "BBBB")
    for wrong in (broken, path[:-1], path + "A", PATHS[act] + "x", PATHS[act] + "%C3%A9" * 20):
        for method in ("GET", "POST"):
            answer = await client.ask(method, wrong)
            assert answer.status == 400
            assert path.rsplit("/", 1)[1] not in answer.text or path.endswith("/x")
    assert not line.frames


@both
async def test_a_foreign_link_is_refused(client, line, keys, act):
    foreign = LinkSigner(uuid.uuid4(), 1, keys.signer._key).sign(act, uuid.uuid4())
    assert (await client.post(PATHS[act] + foreign)).status == 400
    assert not line.frames


async def test_a_link_for_one_act_does_not_serve_for_another(client, line, keys):
    confirm = keys.signer.sign(Act.CONFIRM, uuid.uuid4())
    assert (await client.post(PATHS[Act.UNSUBSCRIBE] + confirm)).status == 400
    assert not line.frames


@both
async def test_an_expired_link_says_so(client, line, link, act):
    path = link(act, clock.now() - timedelta(seconds=2))
    answer = await client.post(path)
    assert answer.status == 410
    assert "expired" in answer.text
    assert 'href="/troth/newsletter"' in answer.text
    assert not line.frames


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--',
        ),
        ("", b""),
    ],
)
async def test_a_mail_program_unsubscribes_by_one_click(client, line, link, kind, body):
    answer = await client.post(link(Act.UNSUBSCRIBE), body=body, **{"content-type": kind})
    assert answer.status == 303
    assert len(line.frames) == 1


async def test_one_click_is_never_slowed_down_by_the_tickets_of_a_mail_company(client, front, line, link):
    front.publish(burst=1, refill_seconds=1000.0)
    assert {(await client.post(link(Act.UNSUBSCRIBE))).status for _ in range(20)} == {303}


async def test_confirming_takes_no_field_and_unsubscribing_no_flood(client, line, link):
    assert (await client.post(link(Act.CONFIRM), {"email": "x"})).status == 400
    assert (await client.post(link(Act.CONFIRM), body=b"{}", **{"content-type": "application/json"})).status == 415
    assert (await client.post(link(Act.UNSUBSCRIBE), body=b"x" * 20_000)).status == 413
    assert not line.frames


KINDS = ["text/plain", "text/plain; charset=utf-8", "application/json", "x", "application/x-www-form-urlencoded; a=b"]


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_holds_the_link_may_leave_whatever_their_program_calls_what_it_sends(client, line, link, kind):
    body = b"List-Unsubscribe=One-Click"
    answer = await client.post(link(Act.UNSUBSCRIBE), body=body, **{"content-type": kind})
    assert answer.status == 303 and len(line.frames) == 1


@both
@pytest.mark.parametrize("refusal", [ClerkBusy(60), ClerkGone("gone")])
async def test_what_could_not_be_stored_is_503(client, line, link, act, refusal):
    line.refusal = refusal
    answer = await client.post(link(act))
    assert (answer.status, answer.headers["retry-after"]) == (503, str(refusal.retry_after))

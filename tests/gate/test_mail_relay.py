"""The proofs' own relay: what the mail door sends comes to it whole, with its envelope, and goes nowhere else."""

import pytest

from tests.proofs.scenes import ready
from troth.core.personal import EmailAddress
from troth.gate.loopback import mail_relay
from troth.gate.mail_types import AlarmMail
from troth.gate.smtp import Permanent, Sent


def mail(to="ada@example.org"):
    return AlarmMail(
        to=EmailAddress(to),
        site_name="Example Software",
        message_id="<trial@example.com>",
        what="This is a trial.",
        mend="There is nothing to do.",
    )


def test_a_mail_comes_whole_with_its_envelope(site, settings):
    ready(site)
    went = mail_relay.send([mail(), mail("grace@example.org")], site, settings.TROTH_CONFIG)
    assert [type(one.outcome) for one in went] == [Sent, Sent]
    (first,), (second,) = went[0].received, went[1].received
    assert first.recipients == ("ada@example.org",)
    assert second.recipients == ("grace@example.org",)
    assert first.content.startswith(b"From: ")
    assert first.content.endswith(b"\r\n")
    assert b"This is a trial." in first.content


def test_a_mail_that_cannot_be_made_comes_to_nobody(site, settings):
    ready(site)
    (went,) = mail_relay.send([mail("no address")], site, settings.TROTH_CONFIG)
    assert isinstance(went.outcome, Permanent)
    assert went.received == ()
    assert not went.held


def test_it_listens_where_it_was_told_to_and_leaves_that_open(site, settings):
    ready(site)
    with mail_relay.listener() as listening:
        for _ in range(2):
            (went,) = mail_relay.send([mail()], site, settings.TROTH_CONFIG, listening)
            assert len(went.received) == 1


def test_the_configured_relay_is_not_spoken_to(site, settings, monkeypatch):
    """Its door is not even resolved: whatever is set there, these mails go to this machine itself."""
    import msgspec

    from troth.gate import tripwire

    reached = []
    resolve = tripwire.resolve

    async def noted(door):
        reached.append(door.host)
        return await resolve(door)

    monkeypatch.setattr(tripwire, "resolve", noted)
    ready(site)
    far = msgspec.structs.replace(settings.TROTH_CONFIG.mail, relay="smtps://letters@relay.example.net:465")
    config = msgspec.structs.replace(settings.TROTH_CONFIG, mail=far)
    (went,) = mail_relay.send([mail()], site, config)
    assert len(went.received) == 1
    assert set(reached) == {"127.0.0.1"}


@pytest.mark.parametrize("count", [0])
def test_no_mail_is_no_work(site, settings, count):
    ready(site)
    assert mail_relay.send([mail()] * count, site, settings.TROTH_CONFIG) == []

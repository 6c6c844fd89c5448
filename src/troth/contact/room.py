"""What the contact form and the inbox file, send, store and show (`core.rooms`)."""

from collections.abc import Sequence
from datetime import timedelta

from troth.contact import erase, services
from troth.contact.entry import ContactMessage
from troth.contact.mails import REPLY, compose_answers
from troth.contact.models import Thread
from troth.contact.notices import NOTICE, compose_notices
from troth.core.config.sections import Config
from troth.core.purpose import Purpose
from troth.core.rooms import Collected, MenuLink, Retained, Room
from troth.core.text.durations import span
from troth.kit.roles import DESK
from troth.vault.records import ANSWER, MESSAGE
from troth.vault.retained_rows import oldest


def _kept(config: Config) -> timedelta:
    return timedelta(days=config.contact.keep_days)


def _collects(config: Config) -> Sequence[Collected]:
    after = f"{span(_kept(config))} after the conversation’s last message"
    return (
        Collected(MESSAGE, "Messages you send us", Purpose.ADMINISTRATION, "entered by you; encrypted", after),
        Collected(ANSWER, "Our replies", Purpose.ADMINISTRATION, "written by us; encrypted", after),
    )


ROOM = Room(
    name="contact",
    asks=lambda config: config.contact.fields if config.contact.enabled else (),
    files={ContactMessage: services.file_messages},
    mails={REPLY: compose_answers, NOTICE: compose_notices},
    holding=erase,
    retention=(
        Retained(
            name="conversations",
            title="Conversations, after their last message",
            visitors="A conversation, after its last message",
            period=_kept,
            oldest=lambda: oldest(Thread.objects.filter(person__frozen_at=None), "last_at"),
            sweep=lambda _config: services.purge_over(),
            why="Set by `keep_days` under [contact]; the contact form states it. People with nothing else stored are "
            "deleted with them.",
        ),
    ),
    collects=_collects,
    record_words={MESSAGE: "Messages", ANSWER: "Replies"},
    columns=frozenset(
        {
            "contact.Thread.state",
            "contact.Message.direction",
            # Operators' own words: labels and saved replies.
            "contact.Label.name",
            "contact.Canned.title",
            "contact.Canned.text",
        }
    ),
    urls="troth.contact.urls",
    navigation=(
        MenuLink(
            place=20,
            url_name="messages",
            label="Inbox",
            icon="messages",
            also=("thread", "find_messages", "answer", "canned", "canned_change"),
            roles=DESK,
        ),
    ),
)

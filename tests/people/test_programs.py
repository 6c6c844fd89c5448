"""Each newsletter program's export comes in with its topics, states and dates; what nobody knows is told."""

import pytest

from tests.conftest import both
from tests.people.files import examined, job, taken_in, written
from troth.core.purpose import Reason
from troth.newsletter import topics
from troth.newsletter.models import Subscription, TopicSubscription
from troth.people import import_topics
from troth.people.csv_sources import FileRefused
from troth.people.programs import recognise
from troth.rights import services

SAMPLES = {
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at",
        'u,ada@example.com,Ada,"{""topics"": [""Releases""]}",enabled,2021-02-04 07:55:20.123456 +0000 UTC,',
        "u,bert@example.com,Bert,{},blocklisted,2021-02-04 07:55:20 +0000 UTC,",
    ),
    "Mailchimp": (
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,ZIP Code,REGION,UNSUB_TIME,NOTES,TAGS",
        'ada@example.com,Ada,2,2021-02-03 07:55:20,192.0.2.1,2021-02-04 07:55:20,,BE,,x,"""VIP"",""releases"""',
        "bert@example.com,Bert,2,2021-02-04 07:55:20,,,,,2022-01-01 00:00:00,,",
    ),
    "Ghost": (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        '1,ada@example.com,Ada,x,true,,cus_1,2021-02-04T07:55:20.000Z,,"VIP, Releases",',
        "2,bert@example.com,Bert,,false,,,2021-02-04T07:55:20.000Z,,,",
    ),
    "Buttondown": (
        "id,email_address,type,creation_date,tags,notes,metadata",
        "1,ada@example.com,regular,2021-02-04T07:55:20Z,Releases,,{}",
        "2,bert@example.com,undeliverable,2021-02-04T07:55:20Z,,,{}",
    ),
    "Substack": (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        "ada@example.com,false,,other,false,2021-02-04T07:55:20.000Z,",
        "bert@example.com,false,,other,true,2021-02-04T07:55:20.000Z,",
    ),
    "Kit (ConvertKit)": (
        "id,first_name,email,status,created_at,tags",
        '1,Ada,ada@example.com,active,2021-02-04 07:55:20 UTC,"Releases,VIP"',
        "2,Bert,bert@example.com,complained,2021-02-04 07:55:20 UTC,",
    ),
}


@both
@pytest.mark.parametrize("program", SAMPLES)
def test_each_program_comes_in(site, tmp_path, program):
    topics.create("Releases", "", public=True)
    path = written(tmp_path / "people.csv", *SAMPLES[program])
    columns = job(path).files[0].columns
    assert columns.program.name == program
    assert columns.unknown == []
    assert taken_in(path) == {"new": 1, "away": 1}
    (place,) = Subscription.objects.all()
    assert f"{place.confirmed_at:%Y-%m-%d}" == "2021-02-04"
    chosen = list(TopicSubscription.objects.values_list("topic__name", flat=True))
    assert chosen == ([] if program == "Substack" else ["Releases"])


def test_what_is_not_kept_is_told_by_name_and_a_place_by_ip_is_no_address(site, tmp_path):
    columns = job(written(tmp_path / "m.csv", *SAMPLES["Mailchimp"])).files[0].columns
    assert {"MEMBER_RATING", "OPTIN_IP", "REGION", "NOTES"} <= set(columns.unread)


def test_how_somebody_is_gone_is_told(site, tmp_path):
    found = examined(written(tmp_path / "b.csv", *SAMPLES["Buttondown"]))
    assert found.away == {"type (bounced)": 1}


def test_an_unknown_status_is_told_and_not_subscribed(site, tmp_path):
    found = examined(
        written(tmp_path / "k.csv", SAMPLES["Kit (ConvertKit)"][0], "1,A,a@example.com,purple,2021-02-04,")
    )
    assert (found.counts["bad"], found.counts["new"]) == (1, 0)
    assert "not understood" in found.bad[0].why


def test_names_that_match_no_topic_are_counted_and_created_only_when_asked(site, tmp_path):
    head = SAMPLES["Ghost"][0]
    rows = [
        f'{n},p{n}@example.com,,,true,,,2021-02-04,,"{names}",' for n, names in enumerate(("VIP", "vip", "x" * 10_000))
    ]
    rows.append("9,p9@example.com,,,true,,,2021-02-04,,someone@example.com,")
    path = written(tmp_path / "g.csv", head, *rows)
    found = examined(path)
    assert found.unknown_topics == {"VIP": 2}
    assert found.unusable_topics == {"(longer than 60 characters)": 1, "xxxxxxx@xxxxxxx.xxx": 1}
    assert topics.all_topics() == []
    import_topics.create(found.unknown_topics)
    taken_in(path)
    assert TopicSubscription.objects.count() == 2
    assert not topics.all_topics()[0].public


def test_rows_of_one_person_that_contradict_are_gone_and_topics_of_two_are_joined(site, tmp_path):
    for name in ("Releases", "Beta"):
        topics.create(name, "", public=True)
    line = "1,A,{}@example.com,{},2021-02-04,{}".format
    lines = [line("a", "active", "Releases"), line("a", "cancelled", ""), line("b", "active", "Releases")]
    path = written(tmp_path / "k.csv", SAMPLES["Kit (ConvertKit)"][0], *lines, line("b", "active", "beta"))
    assert taken_in(path)["new"] == 1
    assert TopicSubscription.objects.count() == 2


def test_a_topic_for_everybody_must_be_one(site, tmp_path):
    topics.create("Releases", "", public=True)
    path = written(tmp_path / "l.csv", "email", "a@example.com")
    taken_in(path, topics=["releases"])
    assert TopicSubscription.objects.count() == 1
    with pytest.raises(FileRefused):
        job(path, topics=["Nothing"])


# -- as the programs write their files, and as spreadsheets save them anew ------------------------------------------

NAME = "Zoë Ödegård"
WRITTEN = {
    "listmonk and Substack": ("utf-8", "\n"),
    "Ghost and Buttondown": ("utf-8", "\r\n"),
    "saved by Excel": ("utf-8-sig", "\r\n"),
    "with a mark of its encoding": ("utf-8-sig", "\n"),
    "saved by an old Excel": ("cp1252", "\r\n"),
    "saved by Excel as Unicode text": ("utf-16", "\r\n"),
}
"""Encodings and line ends."""


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("program", SAMPLES)
def test_each_program_comes_in_however_its_file_is_written(site, tmp_path, program, how):
    topics.create("Releases", "", public=True)
    encoding, line_end = WRITTEN[how]
    path = tmp_path / "people.csv"
    text = line_end.join([*SAMPLES[program], ""]).replace("Ada", NAME)
    path.write_bytes(text.encode(encoding))
    file = job(path).files[0]
    assert file.columns.program.name == program and file.columns.unknown == []
    assert taken_in(path) == {"new": 1, "away": 1}
    (place,) = Subscription.objects.all()
    details = services.details_of(place.person_id, Reason.SHOW_PERSON, "test")
    assert details.email.reveal() == "ada@example.com"
    if program not in ("Substack", "Buttondown"):  # they have no names
        assert details.name.reveal() == NAME


def test_listmonks_quoting_is_read_as_go_writes_it(site, tmp_path):
    """Go's encoding/csv ends lines with a line feed, and quotes what has a comma, a quotation mark, a line end or a
    space at its beginning; `attributes` is JSON."""
    topics.create("News, weekly", "", public=True)
    rows = [
        SAMPLES["listmonk"][0],
        'u1,ada@example.com,"Lovelace, ""Ada""","{""city"": ""Bonn, am Rhein"", ""topics"": [""News, weekly""]}",'
        "enabled,2021-02-04 07:55:20.5 +0100 CET,2021-02-05 07:55:20 +0100 CET",
        "u2,bert@example.com,Bert,{},enabled,2021-02-04 07:55:20.12345 +0300 +03,",
        'u3,cleo@example.com," Cleo","{""topics"": ""News""}",disabled,2021-02-04 07:55:20 +0000 UTC,',
        "u4,dora@example.com,,{},blocklisted,2021-02-04 07:55:20 +0000 UTC,",
    ]
    path = tmp_path / "subscribers.csv"
    path.write_bytes("\n".join([*rows, ""]).encode())
    found = examined(path)
    assert (found.counts["new"], found.away) == (2, {"status (unsubscribed)": 1, "status (removed)": 1}), found.bad
    taken_in(path)
    names = {
        services.details_of(place.person_id, Reason.SHOW_PERSON, "test").name.reveal()
        for place in Subscription.objects.all()
    }
    assert names == {'Lovelace, "Ada"', "Bert"}
    assert TopicSubscription.objects.get().topic.name == "News, weekly"
    moments = Subscription.objects.order_by("confirmed_at").values_list("confirmed_at", flat=True)
    assert [f"{moment:%H:%M:%S.%f}" for moment in moments] == ["04:55:20.123450", "06:55:20.500000"]


def test_what_listmonks_file_does_not_say_is_said():
    caution = recognise(SAMPLES["listmonk"][0].split(",")).caution
    for lost in ("unsubscribed from a list", "not confirmed it", "neither the lists", "created_at", "attributes"):
        assert lost in caution


def test_a_better_date_than_listmonks_can_be_stated(site, tmp_path):
    path = written(tmp_path / "l.csv", *SAMPLES["listmonk"])
    taken_in(path, {"created_at": "-"})
    assert f"{Subscription.objects.get().confirmed_at:%Y-%m-%d}" == "2024-05-01"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_note_of_several_lines_is_one_field(site, tmp_path, line_end):
    head = SAMPLES["Ghost"][0]
    row = f'1,ada@example.com,Ada,"first{line_end}second, ""quoted""",true,,,2021-02-04T07:55:20.000Z,,,'
    path = tmp_path / "ghost.csv"
    path.write_bytes(f"{head}{line_end}{row}{line_end}".encode())
    assert taken_in(path) == {"new": 1}

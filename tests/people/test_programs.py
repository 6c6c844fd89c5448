"""Each newsletter program's export comes in with its topics, states and dates; what nobody knows is told."""

import pytest

from tests.conftest import both
from tests.people.files import examined, job, taken_in, written
from troth.newsletter import topics
from troth.newsletter.models import Subscription, TopicSubscription
from troth.people import import_topics
from troth.people.csv_sources import FileRefused

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

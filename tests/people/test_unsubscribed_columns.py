"""Who opted out in another program does not come in as a subscriber, whatever that program calls it."""

import pytest

from tests.people.files import written
from troth.people import csv_reader, import_job
from troth.people.import_columns import find_mapping
from troth.people.import_rows import Away, Judge, Wrong, read_ground
from troth.people.unsubscribed_columns import _COLUMNS, UNKNOWN, Meaning, Unclear, gone, meaning_of, of_leavers


def fates(path, said=None):
    """What becomes of each row: its consent's day, "gone by COLUMN" or "bad: COLUMN"."""
    shape = csv_reader.find_shape(path)
    columns = find_mapping(import_job.headers(path, shape), said or {})
    judge = Judge(columns, read_ground("Yes.", "2024-05-01"))
    told = []
    for cells in import_job.first_rows(path, shape, 100):
        try:
            told.append(str(judge.row(cells).consent_at.date()))
        except Away as away:
            told.append(f"gone by {columns.called(away.place)}")
        except Wrong as wrong:
            told.append(f"bad: {columns.name_of(wrong.field) if wrong.place is None else columns.called(wrong.place)}")
    return told


STATED = "2024-05-01"
MAILCHIMP = (
    "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,LEID,EUID,NOTES"
)
FILES = {
    "Mailchimp, subscribed: when they confirmed, else when they signed up": (
        [
            MAILCHIMP,
            "ada@example.com,Ada,2,2021-05-03 09:12:00,198.51.100.7,2021-05-04 09:13:11,198.51.100.7,,1,a,",
            "bert@example.com,Bert,0,,,2021-06-03 10:00:00,198.51.100.8,,2,b,",
            "cleo@example.org,,,0000-00-00 00:00:00,,2021-07-03 10:00:00,,,3,c,",
            "dora@example.org,,1,,,,,,3,c,",
        ],
        ["2021-05-04", "2021-06-03", "2021-07-03", STATED],
    ),
    "Mailchimp, unsubscribed and cleaned": (
        [
            "Email Address,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,CLEAN_TIME",
            "ada@example.com,2018-02-12 10:54:27,2018-02-12 10:54:27,2018-07-23 12:19:27,,,",
            "bert@example.com,2018-02-12 10:54:27,,,,NORMAL,",
            "cleo@example.com,2018-02-12 10:54:27,,,,,2018-07-23 12:19:27",
            "dora@example.com,2018-02-12 10:54:27,,,,,",
        ],
        ["gone by UNSUB_TIME", "gone by UNSUB_REASON", "gone by CLEAN_TIME", "2018-02-12"],
    ),
    "Ghost": (
        [
            "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels,tiers",
            "64a1,ada@example.com,Ada,,true,,2023-02-13T09:00:00.000Z,,,",
            "64a2,bert@example.com,Bert,,false,,2023-02-13T09:00:00.000Z,,,",
            "64a3,cleo@example.org,Cleo,,true,,2023-02-13T09:00:00.000Z,2024-01-01T00:00:00.000Z,,",
        ],
        ["2023-02-13", "gone by subscribed_to_emails", "gone by deleted_at"],
    ),
    "Substack: who does not pay is a subscriber": (
        [
            "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
            "ada@example.com,false,,other,false,2021-03-01T08:00:00.000Z,",
            "bert@example.com,true,2027-01-01T00:00:00Z,yearly,true,2021-03-01T08:00:00.000Z,",
        ],
        ["2021-03-01", "gone by email_disabled"],
    ),
    "Shopify: a no to text messages is no no to mail": (
        [
            "Customer ID,First Name,Email,Accepts Email Marketing,Default Address Zip,Accepts SMS Marketing,Tax Exempt",
            "'1,Ada,ada@example.com,yes,,no,no",
            "'2,Bert,bert@example.com,no,,yes,no",
            "'3,Cleo,cleo@example.com,,,no,no",
        ],
        [STATED, "gone by Accepts Email Marketing", "gone by Accepts Email Marketing"],
    ),
    "listmonk": (
        [
            "uuid,email,name,attributes,status,created_at,updated_at",
            'u,a@example.com,A,"{""city"": ""Bonn""}",enabled,2024-05-01,2024-05-01',
            "u,b@example.com,B,{},disabled,2024-05-01,2024-05-01",
            "u,c@example.com,C,{},blocklisted,2024-05-01,2024-05-01",
        ],
        [STATED, "gone by status", "gone by status"],
    ),
    "Kit": (
        ["id,first_name,email,status", *(f"1,A,a@example.com,{s}" for s in ("active", "cancelled", "complained"))],
        [STATED, "gone by status", "gone by status"],
    ),
    "MailPoet: one state of two": (
        [
            "Email,List status,Global status",
            "a@example.com,Subscribed,Subscribed",
            "b@example.com,Subscribed,Unsubscribed",
            "c@example.com,Unconfirmed,Subscribed",
        ],
        [STATED, "gone by Global status", "gone by List status"],
    ),
    "Brevo": (
        [
            "EMAIL,EMAIL_BLACKLISTED,SMS_BLACKLISTED,DOUBLE_OPT-IN",
            "a@example.com,false,true,",
            "b@example.com,true,false,Yes",
            "c@example.com,False,False,No",
        ],
        [STATED, "gone by EMAIL_BLACKLISTED", "gone by DOUBLE_OPT-IN"],
    ),
    "HubSpot": (
        [
            "Email,Unsubscribed from all email,Opted out of email: News,Email hard bounce reason",
            "a@example.com,,,",
            "b@example.com,true,,",
            "c@example.com,false,TRUE,",
            "d@example.com,false,false,Unknown user",
        ],
        [
            STATED,
            "gone by Unsubscribed from all email",
            "gone by Opted out of email: News",
            "gone by Email hard bounce reason",
        ],
    ),
    "Klaviyo": (
        [
            "Email,Email Marketing Consent,Email Suppressions",
            "a@example.com,SUBSCRIBED,[]",
            "b@example.com,NEVER_SUBSCRIBED,[]",
            'c@example.com,SUBSCRIBED,"[{""reason"": ""HARD_BOUNCE""}]"',
        ],
        [STATED, "gone by Email Marketing Consent", "gone by Email Suppressions"],
    ),
    "phpList": (
        [
            "email,confirmed,blacklisted,optedin,bouncecount",
            "a@example.com,1,0,0,0",
            "b@example.com,0,0,1,0",
            "c@example.com,1,1,1,0",
            "d@example.com,1,0,1,0",
            "e@example.com,1,0,1,7",
        ],
        ["gone by optedin", "gone by confirmed", "gone by blacklisted", STATED, "bad: bouncecount"],
    ),
    "CleverReach: seconds, 0 for never": (
        [
            "email,registered,activated,deactivated,bounced",
            "a@example.com,1612425320,1612425320,0,0",
            "b@example.com,1612425320,1612425320,1612999320,0",
            "c@example.com,1612425320,0,0,0",
        ],
        [STATED, "gone by deactivated", "gone by activated"],
    ),
    "Constant Contact: nothing there is no permission": (
        ["Email address,Email status,City,Zip", "a@example.com,Active,Bonn,1", "b@example.com,,Bonn,1"],
        [STATED, "gone by Email status"],
    ),
    "an active state beside a day of leaving": (
        ["email,state,unsubscribed_at", "a@example.com,active,2024-01-31", "b@example.com,active,"],
        ["gone by unsubscribed_at", STATED],
    ),
    "an address in the United States": (
        [
            "Email,First Name,Address,City,State,Zip,Country",
            "ada@example.com,Ada,1 Example Street,Springfield,IL,62701,USA",
            "bert@example.com,Bert,2 Example Street,Portland,OR,97201,USA",
            "cleo@example.com,Cleo,2 Example Street,Portland,unsubscribed,97201,USA",
        ],
        [STATED, STATED, "gone by State"],
    ),
    "a way to leave is not leaving": (
        ["email,Unsubscribe link,unsubscribe_token", "a@example.com,https://example.com/u/1,8f3a"],
        [STATED],
    ),
}


@pytest.mark.parametrize("program", FILES)
def test_each_program_is_understood(tmp_path, program):
    lines, wanted = FILES[program]
    assert fates(written(tmp_path / "people.csv", *lines)) == wanted


SAYS_GONE = (
    "Unsubscribed;unsub_time;UNSUB_DATE;unsubscribedAt;globalUnsubscribe;Date unsubscribed;Is Unsubscribed;"
    "opt_out;OptOut;Opted Out;email-opt-out;HasOptedOutOfEmail;opted_out_at;blacklist;Blacklisted;"
    "is_blocklisted;blocked;Suppressed;suppression_date;Email bounced;hard_bounced_at;Bounced;complained;"
    "Complaint date;spam_complaint;deleted;deleted_at;Account disabled;email_disabled;mail disabled;cleaned;"
    "CLEAN_TIME;GDPR deleted;gdpr_erased_at;do_not_email;DoNotMail;Do not contact;DNC;not_subscribed;"
    "unconfirmed;archived_at;Cancelled at;cancellation_date;inactive;Abgemeldet am;Gesperrt;Désabonné;"
    "disiscritto;uitgeschreven;dado de baja;left_on;revoked;consent withdrawn;Excluded from campaigns;"
    "quarantined;No newsletter"
).split(";")
SAYS_IN = (
    "accepts_marketing;Accepts Email Marketing;accepted newsletter;subscribed;subscribed_to_emails;Subscribed to news;"
    "opt_in;Opt-In;OPTIN;newsletter_opt_in;opted_in;gdpr_consent;GDPR: Email;is_active;Newsletter;email consent;"
    "marketing_allowed;wants newsletter;isSubscribed;receives_emails;email permission;emailMarketing;Abonné;Aktiv"
).split(";")
SAYS_NOTHING = (
    "Email;First Name;Address;City;Company;Phone;Notes;Tags;created_at;LAST_CHANGED;Member since;id;MEMBER_RATING;"
    "OPTIN_IP;opt_in_ip;Unsubscribe URL;unsubscribe_hash;SMS opt-in;sms_unsubscribed;accepts_sms_marketing;DoNotCall;"
    "Fax opt out;whatsapp_opt_out;Phone do not contact;active_subscription;last_active;Order status;Lead status;"
    "subscriber_id;do not track;Total Spent;Description;Title;Timezone;Language;opens;clicks;source;form"
).split(";")


@pytest.mark.parametrize("header", SAYS_GONE)
def test_a_name_that_speaks_of_leaving_is_read_so(header):
    meaning = meaning_of(header)
    assert meaning is Meaning.LEFT
    assert [gone(meaning, cell) for cell in ("yes", "2024-01-31", "1", "true")] == [True] * 4
    assert [gone(meaning, cell) for cell in ("", "no", "0", "false", "0000-00-00 00:00:00", "NULL")] == [False] * 6


@pytest.mark.parametrize("header", SAYS_IN)
def test_a_name_that_speaks_of_wanting_the_mail_is_read_so(header):
    meaning = meaning_of(header)
    assert meaning is Meaning.OPTED_IN
    assert [gone(meaning, cell) for cell in ("no", "FALSE", "0", "", "unsubscribed", "n")] == [True] * 6
    assert [gone(meaning, cell) for cell in ("yes", "true", "1", "2024-01-31", "subscribed")] == [False] * 5


@pytest.mark.parametrize("header", SAYS_NOTHING)
def test_a_name_that_speaks_of_something_else_is_left_alone(header):
    assert meaning_of(header) in (None, *UNKNOWN)


NOT_IN_ENGLISH = {
    "ja": "Werbesperre;Geblockt;Nicht kontaktieren;Keine Werbung;Kein Newsletter;Unzustellbar;Widersprochen am",
    "oui": "Liste noire;Supprimé;Ne pas contacter;Refus;Résilié le;Rebond",
    "sí": "Rebotado;No contactar",
    "sim": "Descadastrado",
    "x": "Avregistrerad;Afmeldt;Wypisany;Odhlášen",
    "да": "Отписан",
    "はい": "配信停止",
    "是": "退订",
}
NO_IN_ENGLISH = {
    "nein": "Newsletter erwünscht;Werbeeinwilligung;Zugestimmt;Zustimmung;E-Mail-Werbung;Bestätigt",
    "non": "Consentement;Accepte la newsletter",
    "no": "Acepta marketing;Consenso marketing;Accetta marketing;Mailing list;Can email;Deliverable;Email valid",
    "nee": "Toestemming;Nieuwsbrief",
    "não": "Aceita marketing",
    "nej": "Nyhetsbrev;Nyhedsbrev",
    "nie": "Zgoda marketingowa",
    "off": "notifications;newsletter_signup;Email updates;Contact by email;Sign up for emails",
}


@pytest.mark.parametrize(
    ("header", "cell"),
    [(header, cell) for cell, headers in (NOT_IN_ENGLISH | NO_IN_ENGLISH).items() for header in headers.split(";")],
)
def test_other_languages_and_words_say_it_too(header, cell):
    assert gone(meaning_of(header), cell)


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Statut e-mail", "Sur liste noire"),
        ("État", "désabonné"),
        ("Anmeldestatus", "abgemeldet"),
        ("Статус", "Отписан"),
        ("状态", "已退订"),
        ("Marketing email confirmation status", "Pending"),
        ("Communication subscription status", "Opted out"),
        ("delivery", "disabled"),
        ("membership", "cancelled"),
        ("Is globally ineligible", "true"),
        ("Removal reason", "user"),
        ("don't email", "true"),
        ("Paused until", "2030-01-01"),
        ("verification_status", "invalid"),
        ("Result", "undeliverable"),
    ],
)
def test_other_programs_say_it_too(header, cell):
    assert gone(meaning_of(header), cell)


@pytest.mark.parametrize(
    ("header", "cell"), [("status", "S"), ("reason", "550 no such user"), ("error", "x"), ("end_date", "2024-01-31")]
)
def test_what_may_mean_either_is_asked(header, cell):
    with pytest.raises(Unclear):
        gone(meaning_of(header), cell)


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Tags", "vip, unsubscribed"),
        ("labels", "bounced"),
        ("Groups", "Unsubscribed"),
        ("List", "cleaned"),
        ("Segment", "Inactive"),
        ("Notes", "UNSUBSCRIBED"),
        ("Comment", "Opt-out by phone"),
        ("Preferences", "no emails"),
        ("TopicPreferences", "News:OPT_OUT"),
        ("Bemerkung", "abgemeldet"),
        ("whatever", "ｕｎｓｕｂｓｃｒｉｂｅｄ"),
    ],
)
def test_a_word_of_mailings_counts_in_any_column(header, cell):
    assert gone(meaning_of(header), cell)


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Notes", "She asked us how one may be unsubscribed from the paper's own letters, and we said how."),
        ("Website", "https://example.com/unsubscribe"),
        ("Assistant", "unsubscribe@example.com"),
        ("customer_type", "inactive"),
        ("Order status", "cancelled"),
        ("Tags", "new, beta"),
        ("Hobby", "bouncy castles"),
    ],
)
def test_other_words_in_such_columns_do_not(header, cell):
    assert not gone(meaning_of(header), cell)


def test_a_column_said_to_be_about_something_else_is_not_searched(tmp_path):
    path = written(tmp_path / "people.csv", "email,Tags", "a@example.com,unsubscribed")
    assert fates(path) == ["gone by Tags"]
    assert fates(path, {"Tags": "-"}) == [STATED]


@pytest.mark.parametrize(
    "cell",
    "no;FALSCH;nee;withdrawn;never;denied;declined;no consent;not given;none;unknown;pending;unsubscribed".split(";"),
)
def test_a_consent_that_is_none_is_no_wording(tmp_path, cell):
    assert fates(written(tmp_path / "people.csv", "email,consent", f"a@example.com,{cell}")) == ["bad: consent"]


@pytest.mark.parametrize("cell", ["Yes: write to me. I can unsubscribe at any time.", "TRUE", "Newsletter sign-up"])
def test_a_consent_that_is_one_is_taken(tmp_path, cell):
    assert fates(written(tmp_path / "people.csv", "email,consent", f"a@example.com,{cell}")) == [STATED]


@pytest.mark.parametrize(
    "name",
    "unsubscribed_members_export_1a2b.csv;cleaned_members_export_1a2b.csv;nonsubscribed_members_export_1a2b.csv;"
    "Unsubscribes.csv;suppression_bounces.csv;spam_reports.csv;opt_out_list.csv;optouts-2024.csv;Abgemeldete.csv;"
    "désinscrits.csv;blacklisted_contacts.csv;do-not-contact.csv;inactive_subscribers.csv".split(";"),
)
def test_a_file_of_those_who_are_gone_says_so_by_its_name(name):
    assert of_leavers(name)


@pytest.mark.parametrize(
    "name", "subscribed_members_export_1a2b.csv;newsletter_cleaned.csv;members.csv;office-blocks.csv;a".split(";")
)
def test_other_files_do_not(name):
    assert not of_leavers(name)


AWAY = (
    "unsubscribed;Unsubscribed by admin;blocklisted;blacklisted;cancelled;canceled;complained;complaint;bounced;"
    "Hard Bounced;soft-bounced;cleaned;archived;transactional;pending;unconfirmed;waiting;left;Opted-Out;opted out;"
    "non-subscribed;Never subscribed;NOT_SUBSCRIBED;No permissions set;Awaiting Confirmation;suppressed;spam;junk;held;"
    "removed;deleted;inactive;disabled;unactivated;spammy;Abgemeldet;désabonné;paused;invalid;banned;0;false;no;"
).split(";")


@pytest.mark.parametrize("state", AWAY)
def test_states_of_who_is_gone(state):
    assert gone(Meaning.STATE, state)


@pytest.mark.parametrize(
    "state", "subscribed;Active;confirmed;ENABLED;Opted-In;regular;premium;1;yes;angemeldet".split(";")
)
def test_states_of_who_is_there(state):
    assert not gone(Meaning.STATE, state)


@pytest.mark.parametrize(
    ("meaning", "cell"),
    [
        (Meaning.STATE, "purple"),
        (Meaning.STATE, "2"),
        (Meaning.STATE, "-1"),
        (Meaning.LEFT, "Weekly"),
        (Meaning.OPTED_IN, "Weekly"),
        (Meaning.UNCLEAR, "3"),
        (Meaning.UNCLEAR, "yes"),
        (Meaning.LEFT, "🚫"),
    ],
)
def test_what_is_not_understood_is_not_decided(meaning, cell):
    with pytest.raises(Unclear):
        gone(meaning, cell)


def test_a_column_of_the_table_means_what_the_table_says():
    assert {name: meaning_of(name) for _, _, names in _COLUMNS for name in names.split()} == {
        name: meaning for _, meaning, names in _COLUMNS for name in names.split()
    }


def asked(path):
    shape = csv_reader.find_shape(path)
    judge = Judge(find_mapping(import_job.headers(path, shape), {}), read_ground("Yes.", "2024-05-01"))
    for cells in import_job.first_rows(path, shape, 100):
        try:
            judge.row(cells)
        except Wrong as wrong:
            yield wrong.why


def test_the_question_names_column_and_word_and_how_to_answer(tmp_path):
    path = written(tmp_path / "people.csv", "email,Mail status", "a@example.com,purple")
    (why,) = asked(path)
    assert '"purple"' in why
    assert '--map "Mail status=-"' in why
    assert fates(path, {"Mail status": "-"}) == [STATED]


@pytest.mark.parametrize(
    "cell", ["Ada", "ada@example.com", "Ada Example", "+49 30 901820", "Example", "12 Lane Street 4"]
)
def test_the_question_never_holds_a_detail(tmp_path, cell):
    (why,) = asked(written(tmp_path / "people.csv", "email,name,status", f"ada@example.com,Ada Example,{cell}"))
    assert cell not in why.replace("example.", "")


def test_a_column_of_very_many_words_is_not_repeated_word_for_word(tmp_path):
    words = ["".join(chr(97 + int(digit)) for digit in f"{n:04d}") for n in range(60)]
    path = written(tmp_path / "people.csv", "email,status", *(f"x@example.com,z{word}" for word in words))
    assert len(set(asked(path))) <= 22


def test_any_column_that_says_gone_wins_over_one_that_is_not_understood(tmp_path):
    path = written(tmp_path / "people.csv", "email,status,unsubscribed", "a@example.com,purple,yes")
    assert fates(path) == ["gone by unsubscribed"]

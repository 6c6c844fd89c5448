"""`check`: each thing that can be wrong with a policy is said, with its line and how to mend it."""

import msgspec
import pytest

from troth.core.config.sections import Config, ContactSection, ControllerSection, ShopSection, SiteSection
from troth.operate.create_site import policy_text
from troth.policy import data_map, lint, privacy_notice
from troth.policy import text as policy
from troth.policy.promise import Control, Promise, Registry
from troth.policy.promises import PROMISES

SAMPLE = policy_text()
PLACES = (
    "\n\n{{ what_is_collected }}\n\n{{ what_is_counted }}\n\n{{ who_receives_it }}\n\n{{ how_long }}\n\n{{ contact }}\n"
)


def promise(name):
    return Promise(name, "X1", f"It means {name}.", (Control("x", "y:z"),), (), "There.")


ONE = Registry([promise("contact.not-shared")])


def judged(text, registry=ONE, backed=None, undeclared=(), durations=None):
    backed = set(registry.ids) if backed is None else backed
    return lint.check(policy.parse(text + PLACES), registry, backed, list(undeclared), durations)


def bad(found):
    return [(one.line, one.what) for one in found if one.level == "bad"]


BOUND = "[We share them with nobody.]{promise=contact.not-shared}"


TOLD = ControllerSection(address="1 Example Row, Exampleton", transfers="All of them are in Exampleton.")
CONFIG = Config(site=SiteSection(name="Example Software", url="https://www.example.com/troth"), controller=TOLD)
BARE = Config(site=CONFIG.site)
SELLING = msgspec.structs.replace(CONFIG, shop=ShopSection(enabled=True))


def test_the_sample_policy_has_nothing_wrong_with_it():
    assert lint.judge(policy.parse(SAMPLE), CONFIG) == []


def test_until_the_settings_say_who_is_responsible_it_lacks_that_and_names_the_setting():
    found = lint.judge(policy.parse(SAMPLE), BARE)
    assert [(one.level, one.mend.partition("=")[0]) for one in found] == [
        ("warn", "Under [controller] in troth.toml: address "),
        ("warn", "Under [controller] in troth.toml: transfers "),
    ]


WITHOUT = SAMPLE.replace("{{ legal_notice }}", "")


def test_what_people_must_be_told_is_named_with_the_line_to_add():
    found = privacy_notice.lacking(policy.parse(WITHOUT), BARE)
    assert {one.level for one in found} == {"warn"}
    lacks = " ".join(one.what for one in found)
    for words in ("who is responsible", "legal basis", "European Economic Area", "correction", "restrict"):
        assert words in lacks
    for words in ("object", "withdrawn", "complain to an authority", "must provide", "automated", "13(2)(d)"):
        assert words in lacks
    assert "who receives it" not in lacks  # its table is there


@pytest.mark.parametrize("duty", privacy_notice.DUTIES, ids=lambda one: one.topic)
def test_each_duty_is_met_by_its_own_line_and_by_no_other(duty):
    """Whoever adds each line that is asked for is asked for nothing any more."""
    empty, settings = policy.parse("Nothing."), CONFIG
    assert duty.topic in " ".join(one.what for one in privacy_notice.lacking(empty, settings))
    others = dict.fromkeys(one.line for one in privacy_notice.DUTIES if one.line != duty.line)
    lacking = privacy_notice.lacking(policy.parse("\n\n".join(others)), settings)
    assert {one.what for one in lacking} >= {f"The text does not state {duty.topic} (GDPR, article 13{duty.article})."}
    whole = "\n\n".join([*others, duty.line])
    assert privacy_notice.lacking(policy.parse(whole), settings) == []


def test_an_officer_who_is_set_must_be_named():
    told = msgspec.structs.replace(
        CONFIG, controller=msgspec.structs.replace(TOLD, data_protection_officer="Ada, ada@example.com")
    )
    text = "\n\n".join(one.line for one in privacy_notice.DUTIES).replace("{{ officer }}", "")
    (found,) = privacy_notice.lacking(policy.parse(text), told)
    assert found.mend == "Add a line: {{ officer }}"
    assert privacy_notice.lacking(policy.parse(SAMPLE), told) == []


@pytest.mark.parametrize("form", [ContactSection(enabled=False), ContactSection(keep_days=30)])
def test_nor_has_it_where_settings_are_others(form):
    other = msgspec.structs.replace(CONFIG, contact=form)
    assert lint.judge(policy.parse(SAMPLE), other) == []


def test_a_promise_that_the_code_does_not_make_is_said_with_the_nearest():
    (found,) = [one for one in judged(f"{BOUND}\n\n[x]{{promise=contact.not-sharde}}") if "Unknown promise" in one.what]
    assert (found.level, found.line) == ("bad", 3)
    assert found.mend == "Did you mean contact.not-shared?"
    (found,) = [one for one in judged(f"{BOUND}\n\n[x]{{promise=z}}") if "Unknown promise" in one.what]
    assert found.mend == "Known promises: contact.not-shared."


def test_a_promise_that_the_text_does_not_make_is_said_with_a_sentence_to_begin_with():
    (found,) = [one for one in judged("Nothing.") if "is missing from the text" in one.what]
    assert found.level == "bad" and "[It means contact.not-shared.]{promise=contact.not-shared}" in found.mend


@pytest.mark.parametrize("one", PROMISES.ids)
def test_each_promise_that_is_taken_out_of_the_sample_is_missed(one):
    text = policy_text(shop=True).replace(f"]{{promise={one}}}", "]").replace("\n[", "\n")
    assert any(one in found.what for found in lint.judge(policy.parse(text), SELLING) if found.level == "bad")


def test_what_only_a_shop_promises_is_asked_of_no_other_site_and_let_stand_on_none():
    """A text of before the shop was turned on, and one of before it was turned off."""
    assert lint.judge(policy.parse(policy_text(shop=True)), SELLING) == []
    lacking = lint.judge(policy.parse(SAMPLE), SELLING)
    for name, problem in zip(("cards.encrypted", "cards.direct"), lacking, strict=True):
        assert problem.what == f"The promise {name} is missing from the text."
        assert f"{{promise={name}}}" in problem.mend
    left_over = lint.judge(policy.parse(policy_text(shop=True)), CONFIG)
    assert {one.level for one in left_over} == {"bad"} and len(left_over) == 2
    assert all("[shop] is off" in one.what and one.line and "enabled = true" in one.mend for one in left_over)


def test_a_promise_without_a_breach_that_was_seen_cannot_stand():
    (found,) = judged(BOUND, backed=set())
    assert (found.level, found.line) == ("bad", 1)
    assert "No breach of contact.not-shared is known to be detected" in found.what


def test_what_is_collected_and_not_declared_is_said():
    (found,) = judged(BOUND, undeclared=["Signup.birthday"])
    assert found.level == "bad" and "Signup.birthday" in found.what and "data_map" in found.mend


@pytest.mark.parametrize("mark", ["{ promise=a.b}", "{promise = a.b}", "{promise=a b}", "{promise: a.b}"])
def test_a_mark_that_cannot_be_read_is_not_left_for_visitors_to_read(mark):
    assert any("Malformed promise mark" in what for line, what in bad(judged(f"{BOUND}\n\n[x]{mark}")) if line == 3)


def test_a_promise_without_words_is_none():
    assert any("has no text" in what for _, what in bad(judged("[ – ]{promise=contact.not-shared}")))


def test_the_same_promise_twice_is_pointed_at():
    assert [(one.level, one.line) for one in judged(f"{BOUND}\n\n{BOUND}")] == [("warn", 3)]


# -- contradictions ---------------------------------------------------------------------------------------------------

AGAINST = {
    "contact.not-shared": [
        "We share your address with our partners.",
        "Your details may be passed on to third parties.",
        "We may disclose your name to selected advertisers, never to strangers.",
        "We sell names to brokers.",
    ],
    "contact.purpose": ["We use your address for marketing.", "Your data are used to build advertising profiles."],
    "contact.basic": ["We also record your location.", "We use cookies.", "We store your IP address."],
    "cards.not-kept": ["We store your card number.", "Card numbers are kept for a year."],
    "policy.current": ["We may change this page at any time."],
}


@pytest.mark.parametrize(("one", "words"), [(one, words) for one, several in AGAINST.items() for words in several])
def test_a_policy_that_contradicts_itself_is_told_where(one, words):
    found = lint.judge(policy.parse(f"{SAMPLE}\nA first line.\n{words}\n"), CONFIG)
    line = SAMPLE.count("\n") + 3
    assert any(each.line == line and one in each.what and each.level == "bad" for each in found), found


@pytest.mark.parametrize(
    "words",
    [
        "We do not share your address with partners.",
        "We give your details to no third party.",
        "Nobody here uses your address for marketing.",
        "No card number is stored.",
        "We never store your card number.",
    ],
)
def test_what_denies_it_does_not_contradict(words):
    found = lint.judge(policy.parse(f"{SAMPLE}\n{words}\n"), CONFIG)
    assert [one for one in found if one.level == "bad"] == []


def test_a_bound_sentence_can_contradict_its_own_promise():
    found = judged("[We share your details with partners.]{promise=contact.not-shared}")
    assert any("contradicts contact.not-shared" in what for _, what in bad(found))


# -- words that nothing backs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "We will never sell your address.",
        "We don’t track you.",
        "Your data is always safe.",
        "All of it is anonymised.",
        "We guarantee it.",
        "We do not use fingerprints.",
        "Under no circumstances do we look.",
    ],
)
def test_a_statement_that_nothing_backs_is_pointed_at_with_its_line(words):
    found = [one for one in judged(f"{BOUND}\n\nFirst.\n{words}") if one.level == "warn"]
    assert found and all(one.line == 4 and "sounds like a promise" in one.what for one in found)


def test_only_the_words_inside_of_a_promise_are_backed_by_it():
    inside = judged("[We will never share them.]{promise=contact.not-shared}")
    beside = judged("We will never sell [them]{promise=contact.not-shared}.")
    assert inside == []
    assert [one.line for one in beside] == [1]


def test_a_time_that_the_tables_do_not_name_is_pointed_at():
    durations = lint._durations("9 days, 1 year")
    assert judged(f"{BOUND} After one year. After 365 days. After 9 days.", durations=durations) == []
    (found,) = judged(f"{BOUND}\nAfter 30 days.", durations=durations)
    assert (found.level, found.line) == ("warn", 2) and "30 days" in found.what


def test_html_is_shown_and_therefore_pointed_at():
    (found,) = judged(f"{BOUND} <b>really</b>")
    assert found.level == "warn" and "shown as text" in found.what


# -- form -------------------------------------------------------------------------------------------------------------


def test_a_place_that_nothing_fills_and_a_table_that_is_missing_are_said():
    found = lint.check(policy.parse(f"{BOUND}\n\n{{{{ phone }}}}"), ONE, set(ONE.ids), [])
    said = [one.what for one in found]
    assert "Unknown placeholder {{ phone }}." in said
    for words in ("what is collected", "who receives it", "how long it is kept", "whom to contact"):
        assert f"The text does not state {words}." in said


def test_what_is_bad_comes_first_and_lines_are_in_order():
    found = judged(f"We will never.\n\n{BOUND}\n\n[x]{{promise=a.a}}\n\n[y]{{promise=b.b}}")
    assert [one.level for one in found] == sorted((one.level for one in found), key=lambda level: level != "bad")
    lines = [one.line for one in found if one.level == "bad"]
    assert lines == sorted(lines)


def test_a_problem_says_its_place_as_an_editor_reads_it():
    (found,) = judged(f"{BOUND}\nWe will never.")
    assert found.place == "policy.md:2"
    assert lint.PolicyProblem("bad", 0, "x", "y").place == "policy.md"


# -- the data map -----------------------------------------------------------------------------------------------------


def test_the_program_as_it_is_collects_nothing_undeclared():
    assert data_map.undeclared(CONFIG) == []


def test_a_field_that_is_added_to_an_entry_is_seen(monkeypatch):
    class Signup2(msgspec.Struct):
        email: str
        birthday: str

    monkeypatch.setattr(data_map, "entries", lambda: [Signup2])
    assert data_map.undeclared(CONFIG) == ["Signup2.birthday"]


@pytest.mark.parametrize(
    "column", ["policy.PolicyVersion.said", "vault.LedgerRow.ends_at", "newsletter.DomainHour.domain"]
)
def test_a_column_that_is_not_declared_is_seen(monkeypatch, column):
    declared = data_map.declared_columns()
    monkeypatch.setattr(data_map, "declared_columns", lambda: declared - {column})
    assert data_map.undeclared(CONFIG) == [column]


def test_every_declared_column_is_there(monkeypatch):
    declared = data_map.declared_columns()
    monkeypatch.setattr(data_map, "declared_columns", frozenset)
    found = set(data_map.undeclared(CONFIG))
    assert found >= {"vault.Record.box", "policy.PolicyVersion.text"}
    assert declared - found == set(), "declared, and no such column"


def test_a_kind_of_record_that_is_not_in_the_table_is_seen(monkeypatch):
    rows = [row for row in data_map.kept(CONFIG) if row.name != "answer"]
    monkeypatch.setattr(data_map, "kept", lambda config: rows)
    assert data_map.undeclared(CONFIG) == ["records of the kind answer"]


def test_the_tables_follow_the_settings():
    text = str(data_map.tables(msgspec.structs.replace(CONFIG, contact=ContactSection(keep_days=77))))
    assert "77 days" in text and "77 days" not in str(data_map.tables(CONFIG))
    hosted = Config(site=SiteSection(name="x", url="https://x.example", hosting="Example Hosting Ltd"))
    assert "Example Hosting Ltd" in data_map.receivers_table(hosted)

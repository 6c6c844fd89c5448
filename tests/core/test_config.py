"""Every setting that is wrong is named with file, line and mend; nothing that may be a secret is repeated."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.config import docs, rules, sections
from troth.core.config.load import ConfigError, load_config, overlay
from troth.core.config.sections import host_port
from troth.core.purpose import Category

SITE = '[site]\nname = "Example Software"\nurl = "https://www.example.com/troth"\n'
EVERY = [
    (section, field.name) for section, struct in sections.sections().items() for field in msgspec.structs.fields(struct)
]
"""All settings, as (section, name)."""


def kind_of(section, setting):
    return next(
        sections.setting_type(one)
        for one in msgspec.structs.fields(sections.sections()[section])
        if one.name == setting
    )


def text_with(section, setting, value):
    """A settings file in which only this setting is wrong, and its line."""
    if section == "site":
        lines = [line for line in SITE.splitlines() if not line.startswith(f"{setting} ")]
        lines += ["", "# a comment", f"{setting} = {value}"]
    else:
        lines = [*SITE.splitlines(), "", f"[{section}]", "# a comment", f"{setting} = {value}"]
    return "\n".join(lines) + "\n", len(lines)


@pytest.fixture
def told(tmp_path):
    """Write a `troth.toml`; returns what is wrong with it."""
    path = tmp_path / "troth.toml"

    def tell(text, environ=None):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as error:
            load_config(path, environ or {})
        for problem in error.value.problems:
            assert problem.mend and problem.what and problem.what[-1] == ".", problem
        return error.value.problems

    tell.path = path
    return tell


def only(problems):
    (problem,) = problems
    return problem


# -- what is right ----------------------------------------------------------------------------------------------------


def test_two_settings_are_enough(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(SITE)
    read = load_config(path, {})
    assert read.site.name == "Example Software" and read.site.prefix == "/troth"
    assert read.front == sections.FrontSection() and read.newsletter == sections.NewsletterSection()


def test_every_default_is_within_its_own_rules_and_types():
    ranges = {(section, name): (least, most) for section, name, least, most in rules.ranges()}
    for section, struct in sections.sections().items():
        for one in docs.settings(section):
            if one.default:
                limits = ranges.get((section, one.name))
                value = getattr(struct() if section != "site" else struct(name="x", url="x"), one.name)
                assert limits is None or limits[0] <= value <= limits[1]


def test_the_environment_lies_over_the_file(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(SITE + '[front]\nlisten = "127.0.0.1:8080"\n')
    told = {
        "TROTH_FRONT__LISTEN": "127.0.0.1:9090",
        "TROTH_FRONT__WORKERS": "3",
        "TROTH_FRONT__REFILL_SECONDS": "2.5",
        "TROTH_FRONT__TRUSTED_PROXIES": "127.0.0.1, ::1",
        "TROTH_NEWSLETTER__FIELDS": "email,company",
        "TROTH_SITE": "/srv/troth",
        "HOME": "/root",
    }
    read = load_config(path, told)
    assert read.front.listen == "127.0.0.1:9090" and read.front.workers == 3 and read.front.refill_seconds == 2.5
    assert read.front.trusted_proxies == ["127.0.0.1", "::1"]
    assert read.newsletter.fields == [Category.EMAIL, Category.COMPANY]
    assert overlay(told).keys() == told.keys() - {"TROTH_SITE", "HOME"}


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_windows_editors_are_forgiven(tmp_path, mark):
    path = tmp_path / "troth.toml"
    path.write_bytes(mark + SITE.replace("\n", "\r\n").encode())
    assert load_config(path, {}).site.name == "Example Software"


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "setting"), EVERY)
def test_a_setting_of_the_wrong_type_names_file_line_and_mend(told, section, setting):
    wrong = "12.5" if kind_of(section, setting) in (int, str) else '"x"'
    text, line = text_with(section, setting, wrong if kind_of(section, setting) is not float else '"x"')
    problem = only(told(text))
    assert problem.place == f"{told.path}:{line}"
    assert setting in problem.what and f"[{section}]" in problem.what
    assert problem.mend.startswith("Write")


@pytest.mark.parametrize(("section", "setting", "least", "most"), list(rules.ranges()))
def test_a_number_out_of_its_range_names_file_line_and_bounds(told, section, setting, least, most):
    for value in (least - 1, most + 1, *(("nan", "inf", "-inf") if kind_of(section, setting) is float else ())):
        text, line = text_with(section, setting, value if isinstance(value, str) else f"{value}")
        problem = only(told(text))
        assert problem.place == f"{told.path}:{line}"
        assert f"`{setting}` under [{section}] is " in problem.what
        assert f"{least:g}" in problem.mend and f"{most:,.0f}" in problem.mend
    for value in (least, most):
        told.path.write_text(text_with(section, setting, f"{value}")[0])
        assert getattr(getattr(load_config(told.path, {}), section), setting) == value


def test_every_number_has_bounds():
    numbers = {(section, name) for section, name in EVERY if kind_of(section, name) in (int, float)}
    assert numbers == {(section, name) for section, name, _, _ in rules.ranges()}


WRONG = [
    ("site", "name", '""', "is empty"),
    ("site", "name", '"a\\nb"', "line break"),
    ("site", "name", f'"{"x" * 101}"', "101 characters"),
    ("site", "url", '"www.example.com"', "not a full web address"),
    ("site", "url", '"https://www.example.com/"', "at the end"),
    ("site", "url", '"https://www.example.com?"', "at the end"),
    ("site", "url", '"http://www.example.com"', "not encrypted"),
    ("site", "url", '"https://a:hush@www.example.com"', "user or password"),
    ("site", "url", '"https://bücher.example"', "xn--"),
    ("site", "privacy_url", '"https://bücher.example/privacy"', "xn--"),
    ("site", "url", '"https://www.example.com/a b"', "not a full web address"),
    ("site", "url", '"https://www.example.com/../x"', "characters"),
    ("site", "url", '"https://www.example.com:99999"', "not a full web address"),
    ("site", "url", '"https://[::1"', "not a full web address"),
    ("site", "url", '"https://example.com;deny/troth"', "characters that no host name has"),
    ("site", "url", '"https://$host/troth"', "characters that no host name has"),
    ("site", "name", '"Example\\u0085Software"', "another control character"),
    ("site", "name", '"\\u202eelpmaxE"', "another control character"),
    ("site", "privacy_url", '"javascript:alert(1)"', "not a full web address"),
    ("site", "accent", '"red;}"', "not a colour"),
    ("front", "listen", '"8080"', "not an address and a port"),
    ("front", "listen", '"example.com:80"', "not an address and a port"),
    ("front", "listen", '"127.0.0.1:0"', "not an address and a port"),
    ("front", "listen", '"127.0.0.1:8081"', "same as under"),
    ("front", "sandbox", '"off"', "cannot be 'off'"),
    ("front", "trusted_proxies", '["nginx"]', "not an address"),
    ("front", "trusted_proxies", '["0.0.0.0/0"]', "trusts every address"),
    ("front", "trusted_proxies", '["::/0"]', "trusts every address"),
    ("newsletter", "fields", '["name"]', "lacks `email`"),
    ("newsletter", "fields", '["email", "email"]', "twice"),
    ("newsletter", "fields", '["email", "birthday"]', "cannot be 'birthday'"),
    ("newsletter", "required", '["email", "company"]', "does not have"),
    ("newsletter", "return_urls", '["/thanks"]', "not a full web address"),
    ("newsletter", "return_urls", '["https://www.example.com/#x"]', "# in it"),
    ("newsletter", "consent", '""', "is empty"),
    ("mail", "relay", '"smtp://user:hush@mail.example.com:587"', "password in it"),
    ("mail", "relay", '"https://mail.example.com"', "not the address of an SMTP server"),
    ("mail", "relay", '"smtp://mail.example.com/x"', "contains more"),
    ("mail", "relay", '"smtp://mail.example.com:0"', "not the address of an SMTP server"),
    ("mail", "sender", '"News <news@example.com>"', "not an email address"),
    ("mail", "sender", '"news@example.com\\r\\nBcc: x@example.com"', "not an email address"),
    ("mail", "sender_name", '"a\\r\\nBcc: x@example.com"', "line break"),
    ("mail", "dkim_domain", '"example.com; x"', "not a domain"),
    ("mail", "dkim_selector", '"../../x"', "not a selector"),
    ("shop", "api", '"http://api.example.com"', "not encrypted"),
    ("shop", "api", '"https://api.example.com/v1"', "contains more"),
    ("shop", "pages", '"buy.example.com"', "not a full web address"),
    ("shop", "currencies", "[]", "not a currency"),
    ("shop", "currencies", '["EUR", "Euro"]', "not a currency"),
    ("shop", "tax_rates", '["DE 19", "DE 7"]', "not a country and its rate"),
    ("shop", "tax_rates", '["Germany 19"]', "not a country and its rate"),
    ("shop", "document_prefix", '"A B"', "no number should have"),
    ("shop", "terms_url", '"/terms"', "not a full web address"),
    ("office", "listen", '"localhost:8080"', "same as under"),
    ("office", "url", '"http://127.0.0.1:8081"', "passkeys need a host name"),
    ("office", "url", '"http://localhost:8081/x"', "contains more"),
    ("office", "url", '"http://office.example.com"', "not encrypted"),
    ("database", "url", '"mysql://localhost/x"', "not the address of a PostgreSQL"),
    ("database", "url", '"postgresql://u:hush@localhost/x"', "password in it"),
]


@pytest.mark.parametrize(("section", "setting", "value", "words"), WRONG)
def test_a_value_that_makes_no_sense_names_file_line_and_mend(told, section, setting, value, words):
    text, line = text_with(section, setting, value)
    problem = only(told(text))
    assert problem.place == f"{told.path}:{line}"
    assert words in problem.what
    assert "hush" not in f"{problem} {problem.mend}"


UNKNOWN = [
    ("[front]\nlissten = '127.0.0.1:1'", 5, "Did you mean `listen`?"),
    ("[front]\nWait-Seconds = 3", 5, "Did you mean `wait_seconds`?"),
    ("[front]\nrelay = 'x'", 5, "It belongs under [mail]."),
    ("[front]\nqqqq = 1", 5, "It has `listen`"),
    ("[mail]\npassword = 'hush'", 5, "keys/mail-password"),
    ("[database]\npassword = 'hush'", 5, "keys/database-password"),
    ("[frond]\nlisten = 'x'", 4, "Did you mean [front]?"),
    ("[zzz]\na = 1", 4, "There are [site]"),
    ("[[front]]\nlisten = 'x'", 4, "Write [front] on a line"),
]


@pytest.mark.parametrize(("more", "line", "mend"), UNKNOWN)
def test_what_is_unknown_names_file_line_and_the_likeliest_mend(told, more, line, mend):
    problem = only(told(SITE + more + "\n"))
    assert problem.place == f"{told.path}:{line}"
    assert mend in problem.mend and "hush" not in f"{problem} {problem.mend}"


def test_a_setting_outside_of_every_section_says_where_it_belongs(told):
    problem = only(told("\nlisten = '127.0.0.1:1'\n" + SITE))
    assert problem.place == f"{told.path}:2" and "[front] or [office]" in problem.mend


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (SITE + "[front\n", 4, "not TOML"),
        (SITE + "[front]\nlisten = oops\n", 5, "not TOML"),
        (SITE + '[mail]\nsender_name = "half\nrelay = "x"\n', 5, "not TOML"),
        (SITE + "name = 'again'\n", 4, "second time"),
        (SITE + "[site]\n", 4, "second time"),
        (SITE + "[front]\nx = [1,\n", 5, "not TOML"),
    ],
)
def test_what_is_not_toml_names_its_line(told, text, line, words):
    problem = only(told(text))
    assert problem.place == f"{told.path}:{line}" and words in problem.what


def test_a_missing_setting_names_its_section_and_shows_an_example(told):
    problem = only(told('[site]\nname = "x"\n'))
    assert problem.place == f"{told.path}:1" and 'url = "https://' in problem.mend
    assert [one.what for one in told("")] == ["`name` under [site] is missing.", "`url` under [site] is missing."]


def test_all_mistakes_are_told_at_once_in_the_files_order(told, monkeypatch):
    text = SITE + '[front]\nworkers = 99\nlissten = 1\n[mail]\nsender = "x"\ntimeout_seconds = "x"\n'
    problems = told(text, {"TROTH_FRONT__BURST": "many"})
    assert [one.place.rpartition(":")[2] for one in problems] == ["5", "6", "8", "9", "TROTH_FRONT__BURST"]
    monkeypatch.setenv("TROTH_FRONT__BURST", "many")
    with pytest.raises(ConfigError) as error:
        load_config(told.path)
    assert "5 settings are wrong" in str(error.value)
    assert all(f"{one}\n    {one.mend}" in str(error.value) for one in problems)


@pytest.mark.parametrize(
    ("variable", "value", "words", "mend"),
    [
        ("TROTH_FRONT__WORKERS", "many", "whole number", "workers = 12"),
        ("TROTH_FRONT__WORKERS", "99", "is 99", "1 to 16"),
        ("TROTH_FRONT__WORKRES", "1", "no such setting", "TROTH_FRONT__WORKERS"),
        ("TROTH_NOTHING__ELSE", "1", "no such setting", "docs/settings.md"),
        ("TROTH_FRONT__SANDBOX", "off", "cannot be 'off'", '"enforce"'),
        ("TROTH_NEWSLETTER__FIELDS", "name", "lacks `email`", "email"),
        ("TROTH_DATABASE__URL", "postgresql://u:hush@localhost/x", "password", "keys/database-password"),
    ],
)
def test_a_wrong_variable_is_named_as_the_place(told, variable, value, words, mend):
    problem = only(told(SITE, {variable: value}))
    assert problem.place == variable and words in problem.what and mend in problem.mend
    assert "hush" not in f"{problem} {problem.mend}"


def test_a_file_that_cannot_be_read_says_why(tmp_path, told):
    missing = tmp_path / "none" / "troth.toml"
    for path, words in ((missing, "does not exist"), (tmp_path, "cannot be read")):
        with pytest.raises(ConfigError, match=words) as error:
            load_config(path, {})
        assert str(path) in str(error.value) and error.value.mend
    assert "UTF-8" in only(told(SITE.encode() + b"# \xff\n")).what
    assert "too deeply" in only(told(SITE + "[front]\nx = " + "[" * 5000 + "]" * 5000)).what


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_place_and_a_mend(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as error:  # no random text has both a name and a url
        load_config(path, {})
    assert all(problem.place.startswith(str(path)) and problem.mend for problem in error.value.problems)


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:1", ("::1", 1)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_and_a_port_are_told_apart(text, wanted):
    assert host_port(text) == wanted


@pytest.mark.parametrize("text", ["", ":80", "80", "a:", "a:0", "a:65536", "::1:80", "[a]:80", "a:٣", "a:+1", "a: 1"])
def test_anything_else_is_not_an_address_and_a_port(text):
    with pytest.raises(ValueError, match="port"):
        host_port(text)


# -- renamed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "old"), sections.RENAMED)
def test_a_setting_under_its_earlier_name_is_read_with_a_warning_that_names_line_and_new_name(tmp_path, section, old):
    new = sections.RENAMED[section, old]
    assert (section, new) in EVERY and (section, old) not in EVERY
    samples = {int: "7", float: "7.5", list[str]: '["https://www.example.com"]', str: '"security@example.com"'}
    values = {"metrics": '"127.0.0.1:9108"', "countries": '"/srv/countries.mmdb"', "tell": '["desk@example.com"]'}
    values |= {"parameters": '["version"]', "spam": '["spam.example"]'}
    text, line = text_with(section, old, values.get(old) or samples[kind_of(section, new)])
    path = tmp_path / "troth.toml"
    path.write_text(text)
    warnings = []
    renamed = load_config(path, {}, warn=warnings.append)
    (warning,) = warnings
    assert warning.place == f"{path}:{line}" and f"`{old}` under [{section}] is now called `{new}`." == warning.what
    path.write_text(text.replace(f"{old} = ", f"{new} = "))
    assert load_config(path, {}, warn=warnings.append) == renamed and len(warnings) == 1


def test_an_earlier_name_in_the_environment_is_read_with_a_warning(tmp_path):
    path, warnings = tmp_path / "troth.toml", []
    path.write_text(SITE)
    assert load_config(path, {"TROTH_FRONT__TICKETS": "7"}, warn=warnings.append).front.burst == 7
    assert [str(one) for one in warnings] == ["TROTH_FRONT__TICKETS: This variable is now called TROTH_FRONT__BURST."]


def test_a_wrong_value_under_an_earlier_name_names_its_line(told):
    problem = only(told(SITE + "[front]\ntickets = 0\n"))
    assert problem.place == f"{told.path}:5" and "`burst` under [front] is 0" in problem.what


def test_a_setting_under_both_names_is_an_error(told):
    problem = only(told(SITE + "[front]\nburst = 5\ntickets = 7\n"))
    assert problem.place == f"{told.path}:6" and "now called `burst`, which is set, too" in problem.what


# -- several relays ---------------------------------------------------------------------------------------------------

_SITE = '[site]\nname = "Example Software"\nurl = "https://www.example.com"\n'
_SECOND = '[[relay]]\nname = "second"\naddress = "smtps://user@two.example.com"\n'


def _read(tmp_path, text):
    file = tmp_path / "troth.toml"
    file.write_text(_SITE + text)
    return load_config(file, {})


def test_further_relays_are_sections_of_one_name(tmp_path):
    third = '[[relay]]\nname = "third"\naddress = "smtp://localhost:2525"\nconnections = 2\n'
    relays = _read(tmp_path, _SECOND + third).relay
    assert [(relay.name, relay.connections) for relay in relays] == [("second", 4), ("third", 2)]
    assert _read(tmp_path, "").relay == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[relay]\nname = "second"', 4, "double brackets"),
        ('[[relay]]\nname = "second"', 4, "`address` under [[relay]] is missing"),
        (_SECOND + '[[relay]]\nname = "third"\nhost = "x"\naddress = "smtp://localhost"', 9, "has no setting `host`"),
        (
            _SECOND + '[[relay]]\nname = "third"\naddress = "http://x"',
            9,
            "under [[relay]] is not the address",
        ),
        (_SECOND + _SECOND, 8, "of its own"),
        ('[[relay]]\nname = "a/b"\naddress = "smtp://localhost"', 5, "not a short name"),
        ('[[relay]]\nname = "x"\naddress = "smtps://u:hush@two.example.com"', 6, "keys/mail-password-x"),
        (_SECOND + "connections = 17", 7, "from 1 to 16"),
        (_SECOND + 'connections = "many"', 7, "must be a whole number"),
        (_SECOND + 'password = "hush"', 7, "keys/mail-password-<name>"),
        ("".join(_SECOND.replace("second", f"r{number}") for number in range(9)), 29, "one too many"),
    ],
)
def test_what_is_wrong_with_a_relay_is_said_with_its_line(tmp_path, text, line, words):
    with pytest.raises(ConfigError) as refused:
        _read(tmp_path, text)
    said = f"{refused.value} {refused.value.mend}"
    assert f"troth.toml:{line}:" in said and words in said and "hush" not in said


# -- the sentence in other languages ----------------------------------------------------------------------------------

_GERMAN = '[[translation]]\nlanguage = "de"\nconsent = "Ja, gern."\n'


def test_translations_are_sections_of_one_name(tmp_path):
    french = '[[translation]]\nlanguage = "fr-CA"\nconsent = "Oui."\n'
    translations = _read(tmp_path, _GERMAN + french).translation
    assert [(one.language, one.consent) for one in translations] == [("de", "Ja, gern."), ("fr-CA", "Oui.")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[[translation]]\nlanguage = "de"', 4, "`consent` under [[translation]] is missing"),
        ('[[translation]]\nlanguage = "German words"\nconsent = "Ja."', 5, "not a language tag"),
        ('[[translation]]\nlanguage = "de"\nconsent = " "', 6, "1 to 500 characters"),
        (f'[[translation]]\nlanguage = "de"\nconsent = "{"x" * 501}"', 6, "1 to 500 characters"),
        (_GERMAN + '[[translation]]\nlanguage = "DE"\nconsent = "Ja."', 8, "one sentence for each language"),
        (_GERMAN + '[[translation]]\nlanguage = "da"\nconsent = "Ja, gern."', 9, "the same as in another language"),
        ('[newsletter]\nlanguage = "English words"', 5, "not a language tag"),
        ('[newsletter]\nlanguage = "de"\n' + _GERMAN, 7, "one sentence for each language"),
    ],
)
def test_what_is_wrong_with_a_translation_is_said_with_its_line(tmp_path, text, line, words):
    with pytest.raises(ConfigError) as refused:
        _read(tmp_path, text)
    said = f"{refused.value} {refused.value.mend}"
    assert f"troth.toml:{line}:" in said and words in said

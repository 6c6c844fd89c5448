"""What a new `troth.toml` and docs/settings.md say comes from the structs, and is true."""

import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.config import docs, sections
from troth.core.purpose import Category

EVERY = [(section, one) for section in sections.sections() for one in docs.settings(section)]


def test_every_section_and_setting_says_what_it_means():
    for section, struct in sections.sections().items():
        assert docs.about(section).endswith(".")
        names = [one.name for one in docs.settings(section)]
        assert names == [field.name for field in msgspec.structs.fields(struct)]
    for section, one in EVERY:
        assert one.meaning and one.section == section, one
        assert one.kind, one


def test_only_the_sites_name_and_address_have_no_default():
    assert [(section, one.name) for section, one in EVERY if not one.default] == [("site", "name"), ("site", "url")]


def test_a_default_read_back_is_the_default():
    for section, one in EVERY:
        if one.default:
            read = tomllib.loads(f"x = {one.default}")["x"]
            struct = sections.sections()[section]
            field = next(field for field in msgspec.structs.fields(struct) if field.name == one.name)
            wanted = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            assert read == wanted, one


@pytest.mark.parametrize(
    ("section", "name", "kind"),
    [
        ("site", "name", "text"),
        ("front", "workers", "1 to 16"),
        ("front", "sandbox", '"enforce" or "best-effort"'),
        ("front", "trusted_proxies", "list of texts"),
        ("newsletter", "fields", "list of " + ", ".join(Category)),
    ],
)
def test_a_kind_is_said_in_words(section, name, kind):
    assert next(one.kind for _, one in EVERY if (one.section, one.name) == (section, name)) == kind


values = st.one_of(st.text(st.characters(codec="utf-8")), st.integers(-(2**62), 2**62), st.floats(allow_nan=False))


@given(st.one_of(values, st.lists(values, max_size=4)))
def test_any_value_written_as_toml_is_read_back(value):
    assert tomllib.loads(f"x = {docs.toml(value)}")["x"] == value

"""Personal values show nothing, however they are printed, logged, raised, copied or pickled (C1, C3)."""

import copy
import json
import logging
import pickle
import pprint
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.personal import TYPES, EmailAddress, Personal, PersonName
from troth.core.purpose import Category

SECRET = "anna.secret@example.com"
every = pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.__name__)


def test_every_category_has_a_type_and_no_type_is_without_one():
    assert TYPES.keys() == set(Category)
    assert set(TYPES.values()) == set(Personal.__subclasses__())


@every
def test_nothing_that_prints_shows_it(kind):
    value = kind(SECRET)
    shown = [repr(value), str(value), f"{value}", f"{value!r}", f"{value:>40}", "%s %r" % (value, value)]  # noqa: UP031
    shown += [f"{value!s}", f"{[value]}", str({"a": value}), pprint.pformat([value]), str((value,)), format(value, "s")]
    assert SECRET not in " ".join(shown)
    assert f"<{kind.__name__}>" in shown


@every
def test_a_log_line_does_not_show_it(kind, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").error("sign-up of %s: %r", kind(SECRET), {"who": kind(SECRET)})
    assert caplog.records and SECRET not in caplog.text


@every
def test_a_traceback_does_not_show_it_even_with_the_values_of_variables(kind):
    value = kind(SECRET)
    try:
        raise ValueError(value)
    except ValueError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(told.format())
    assert "value = " in text and SECRET not in text


@every
def test_it_is_not_pickled(kind):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="is not pickled") as error:
            pickle.dumps([kind(SECRET)], protocol)
        assert SECRET not in str(error.value)


@every
def test_it_is_not_written_as_json_or_anything_else(kind):
    for write in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as error:
            write({"who": kind(SECRET)})
        assert SECRET not in str(error.value)


@every
def test_it_has_no_attributes_to_look_into_and_does_not_change(kind):
    value = kind(SECRET)
    with pytest.raises(TypeError):
        vars(value)
    for name in ("_value", "other"):
        with pytest.raises(AttributeError) as error:
            setattr(value, name, "x")
        assert SECRET not in str(error.value)
    assert value.reveal() == SECRET


@given(st.text(), st.text())
def test_values_are_equal_by_type_and_content(one, other):
    assert (EmailAddress(one) == EmailAddress(other)) == (one == other)
    assert EmailAddress(one) != PersonName(one) and EmailAddress(one) != one
    assert hash(EmailAddress(one)) == hash(EmailAddress(one))
    assert EmailAddress(one).reveal() == one


@every
def test_a_copy_is_itself(kind):
    value = kind(SECRET)
    assert copy.copy(value) is value and copy.deepcopy([value])[0] is value

"""Personal values are text inside of an envelope and their own types outside; nothing else is taken for one."""

import msgspec
import pytest

from troth.core.personal import EmailAddress, PersonName
from troth.vault import codec

ADDRESS = "anna@example.com"


def test_what_is_packed_comes_back_in_its_own_type():
    data = msgspec.msgpack.encode(EmailAddress(ADDRESS), enc_hook=codec.plain)
    assert msgspec.msgpack.decode(data) == ADDRESS
    found = msgspec.msgpack.decode(data, type=EmailAddress, dec_hook=codec.personal)
    assert isinstance(found, EmailAddress) and found.reveal() == ADDRESS


def test_what_is_not_personal_is_not_packed_and_the_error_says_what_to_do():
    with pytest.raises(TypeError, match=r"give the field a type of troth\.core\.personal"):
        msgspec.msgpack.encode(object(), enc_hook=codec.plain)


@pytest.mark.parametrize(("kind", "value"), [(PersonName, 5), (PersonName, [ADDRESS]), (complex, ADDRESS)])
def test_a_value_of_another_kind_is_refused_in_a_way_that_intake_knows(kind, value):
    data = msgspec.msgpack.encode(value)
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.msgpack.decode(data, type=kind, dec_hook=codec.personal)
    assert ADDRESS not in str(refused.value)

"""Each dimension is entered wherever something is said of it, and keeps the number under which it is stored."""

import re

import pytest

from troth.audience.console import panels
from troth.audience.counting.cells import DIMS, Dim
from troth.policy import data_map

STORED = (
    "all page entry exit step source channel campaign country device browser system language screen event outbound "
    "download missing product asked dropped"
).split()
"""In the order of their codes. A new one is added at the end, here and in `Dim`."""
NO_PANEL = {Dim.ALL, Dim.ASKED, Dim.DROPPED}
WITHOUT_TAB = {Dim.STEP, Dim.EVENT, Dim.PRODUCT}
"""Shown in a panel of another kind."""


def test_a_dimension_keeps_its_code():
    assert [dim.value for dim in DIMS] == STORED, "the position is stored: add new dimensions at the end of `Dim`"


@pytest.mark.parametrize("dim", DIMS)
def test_a_dimension_is_entered_wherever_something_is_said_of_it(dim):
    assert re.fullmatch("[a-z]{1,20}", dim.value), "audience/api/endpoints.py reads small letters only from an address"
    counted = [shown for dims in data_map.COUNTED.values() for shown in dims]
    assert dim in counted, "name it in COUNTED (policy/data_map.py), in visitors' words"
    if dim not in NO_PANEL:
        assert dim in panels.ONE, "say what one row is called: ONE in audience/console/panels.py"
    tabs = {shown for group in panels.GROUPS for shown in group}
    assert dim in tabs | NO_PANEL | WITHOUT_TAB, "give it a panel: GROUPS in audience/console/panels.py"

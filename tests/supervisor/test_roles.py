"""One row for each kind of process: what is derived from the rows agrees with what else names a process."""

import importlib.util

import pytest

from troth.core.config.sections import SpoolSection
from troth.core.entry import Kind
from troth.proofs import contact_not_shared
from troth.supervisor import roles


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_each_role_has_a_module_that_runs_it_and_a_user_of_the_table(role):
    assert importlib.util.find_spec(role.module) is not None
    assert role.user in roles.USERS
    assert role.makes_files_for in ("", *roles.BY_NAME[role.user].shares)


def test_processes_end_in_the_order_that_loses_nothing():
    assert roles.STOP_ORDER == ("front", "office", "clerk", "worker")


def test_each_serving_process_is_tried_from_inside_by_a_proof():
    assert set(contact_not_shared._MAY_NOT) | {"worker"} == set(roles.SERVING)  # the worker may open people


def test_each_kind_of_frame_has_a_share_of_the_spool():
    assert {f"{kind.name.lower()}_mib" for kind in Kind} == {*SpoolSection.__struct_fields__}


@pytest.mark.parametrize(
    ("process", "label"),
    [("front 1", "public server 2"), ("clerk", "intake"), ("worker", "worker"), ("office", "admin server"), ("x", "x")],
)
def test_people_read_a_process_by_its_label(process, label):
    assert roles.label_of(process) == label

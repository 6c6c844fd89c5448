"""Every package that has tables is in the list by which backups, upgrades, doctor and the data map go."""

import pytest
from django.apps import apps

from troth.core.schema import migrations


def test_the_list_is_that_of_the_packages_with_tables():
    ours = [one for one in apps.get_app_configs() if one.name.startswith("troth.")]
    with_tables = {one.label: one.name for one in ours if list(one.get_models())}
    assert with_tables == {label: f"troth.{label}" for label in migrations.LABELS}


@pytest.mark.parametrize("label", migrations.LABELS)
def test_each_has_its_changes_known(label):
    assert (label, "0001_initial") in migrations.KNOWN

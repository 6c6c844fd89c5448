"""Choices that commands list without importing what they choose from, so that `--help` is quick: the same as there."""

from troth.audience.api.tokens import Scope
from troth.cli.campaign import CampaignTemplate
from troth.cli.tokens import TokenScope
from troth.newsletter.campaigns.html_page import TEMPLATES


def test_scopes_of_tokens():
    assert [scope.value for scope in TokenScope] == [scope.value for scope in Scope]


def test_templates_of_campaigns():
    assert {template.value for template in CampaignTemplate} == set(TEMPLATES)

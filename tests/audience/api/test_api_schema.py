"""The OpenAPI document is held to the answers by schemathesis: made-up questions, each answer against its schema."""

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.audience.api.test_api import figures, held  # noqa: F401 - fixtures
from troth.audience.api import endpoints


@pytest.fixture
def schema(figures):  # noqa: F811 - the fixture
    """The document as the office serves it."""
    signals.request_started.disconnect(close_old_connections)  # the test's own connection stays
    signals.request_finished.disconnect(close_old_connections)
    found = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler(), headers={"Host": "localhost"})
    yield found, {"Authorization": f"Bearer {figures}", "Host": "localhost"}
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", endpoints.ENDPOINTS, ids=lambda one: one.path.rpartition("statistics/")[2])
def test_whatever_is_asked_the_answer_is_what_the_document_says(schema, endpoint, mode):
    document, headers = schema
    seen = set()

    @given(case=document[endpoint.path]["GET"].as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def ask(case):
        spoilt = case.meta.components[ParameterLocation.HEADER].mode.is_negative
        sent = {"Host": headers["Host"]} if spoilt else headers  # a spoilt token is not made good again
        answer = case.call(headers=sent)
        # Which days make no period, and what is not counted together, no schema can say: that is a 422.
        case.validate_response(answer, headers=sent, excluded_checks=[positive_data_acceptance])
        seen.add(answer.status_code)

    ask()
    if mode is GenerationMode.POSITIVE:
        assert 200 in seen and seen <= {200, 422}
    else:
        assert 400 in seen and seen <= {200, 400, 401, 404, 422}  # it spoils the token, too, and the path

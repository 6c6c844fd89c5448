"""The OpenAPI document is held to what `/api/mail` answers, by schemathesis and by its own examples. Each test has a
site of its own, so that what a made-up request queues is sent by nobody."""

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.newsletter.test_transactional import post, queued, state, token  # noqa: F401 - a fixture
from troth.newsletter.transactional.api import EXAMPLE, PATH
from troth.newsletter.transactional.orders import MOST_A_DAY

VALUES = st.sampled_from(["4711", "", "<b>1</b>"])
DATA = st.fixed_dictionaries({"number": VALUES}, optional={"town": VALUES})
RECIPIENTS = st.sampled_from([EXAMPLE["to"], "n@example.com"])


@pytest.fixture
def document(token):  # noqa: F811 - the fixture
    """The document as the office serves it, and the headers of a request."""
    signals.request_started.disconnect(close_old_connections)  # the test's own connection stays
    signals.request_finished.disconnect(close_old_connections)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler(), headers={"Host": "localhost"})
    yield schema, {"Authorization": f"Bearer {token}", "Host": "localhost"}
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


def checked(case, headers):
    """Call, compare the answer with the document, and return it."""
    spoilt = case.meta.components[ParameterLocation.HEADER].mode.is_negative and "Authorization" in (case.headers or {})
    sent = {"Host": headers["Host"]} if spoilt else headers  # a spoilt token is not made good again
    answer = case.call(headers=sent)
    # Who is known, and which templates there are, no schema can say: that is a 404 or a 422.
    case.validate_response(answer, headers=sent, excluded_checks=[positive_data_acceptance])
    return answer.status_code


def held_to_the_document(operation, mode, headers, change=lambda case, data: None):
    seen = set()

    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def call(case, data):
        change(case, data)
        seen.add(checked(case, headers))

    call()
    return seen


def test_whatever_is_posted_the_answer_is_what_the_document_says(document):
    schema, headers = document
    seen = held_to_the_document(schema[PATH]["POST"], GenerationMode.POSITIVE, headers)
    assert {202, 422} <= seen <= {202, 404, 422, 429}  # the document's example is among what it posts
    assert queued().count() > 0


def test_what_the_document_does_not_allow_is_refused(document):
    schema, headers = document
    seen = held_to_the_document(schema[PATH]["POST"], GenerationMode.NEGATIVE, headers)
    assert 400 in seen and seen <= {400, 401, 413, 415, 422} and queued().count() == 0


def test_orders_to_somebody_who_is_known_are_answered_as_the_document_says(document):
    schema, headers = document

    def known(case, data):
        case.body = EXAMPLE | {"data": data.draw(DATA), "to": data.draw(RECIPIENTS)}

    seen = held_to_the_document(schema[PATH]["POST"], GenerationMode.POSITIVE, headers, known)
    assert {202, 422} <= seen <= {202, 404, 422, 429} and 0 < queued().count() <= MOST_A_DAY


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_state_is_asked_for_the_answer_is_what_the_document_says(document, mode):
    schema, headers = document
    ident = post(headers["Authorization"].removeprefix("Bearer ")).json()["id"]

    def sometimes_sent(case, data):
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.path_parameters["id"] = ident

    seen = held_to_the_document(schema[f"{PATH}/{{id}}"]["GET"], mode, headers, sometimes_sent)
    assert seen == {200, 404} if mode is GenerationMode.POSITIVE else 404 in seen and seen <= {401, 404}


def test_the_examples_of_the_document_are_taken_and_told(document, token):  # noqa: F811 - the fixture
    operation = document[0].raw_schema["paths"][PATH]["post"]
    key = operation["parameters"][0]["example"]
    answer = post(token, operation["requestBody"]["content"]["application/json"]["example"], **{"idempotency-key": key})
    taken = operation["responses"]["202"]["content"]["application/json"]["example"]
    assert answer.status_code == 202 and answer.json().keys() == taken.keys()
    told = state(token, answer.json()["id"]).json()
    assert told["state"] == answer.json()["state"] == taken["state"]


def test_each_operation_names_the_scope_of_its_token(document):
    paths = document[0].raw_schema["paths"]
    scopes = {path: operation["security"] for path, item in paths.items() for operation in item.values()}
    assert scopes[PATH] == scopes[f"{PATH}/{{id}}"] == [{"token": ["mail"]}]
    others = [scope for path, scope in scopes.items() if not path.startswith(PATH)]
    assert others and all(scope == [{"token": ["statistics"]}] for scope in others)

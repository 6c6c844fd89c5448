"""The log has a closed list of fields, and an exception's message never gets into it."""

import json

import pytest
import structlog

from troth.core.personal import EmailAddress
from troth.gate.models import Delivery
from troth.worker import log


@pytest.fixture(autouse=True)
def own_log():
    """What is set up here writes to this test's stderr: it must not outlive it."""
    yield
    structlog.reset_defaults()


def _lines(told) -> list[dict]:
    return [json.loads(line) for line in told.readouterr().err.splitlines()]


def test_an_unknown_field_is_left_out_and_said(capsys):
    log.set_up(json=True)
    log.logger().info("processed", address="ada@example.com", signups=2)
    (line,) = _lines(capsys)
    assert line["left_out"] == 1 and line["signups"] == 2 and "address" not in line


def test_a_personal_value_is_left_out(capsys):
    log.set_up(json=True)
    log.logger().info("processed", reason=EmailAddress("ada@example.com"))
    (line,) = _lines(capsys)
    assert line["left_out"] == 1 and "reason" not in line


def test_whatever_can_become_of_a_mail_has_a_field():
    assert {*Delivery.State.values} - {"sending"} <= log.FIELDS


def test_an_exception_is_told_without_its_message():
    try:
        raise ValueError("ada@example.com")
    except ValueError as error:
        assert "ada" not in str(log.error_fields(error)) and log.error_fields(error)["error"] == "ValueError"

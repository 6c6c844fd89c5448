"""Personal data stays in its types: `reveal()` where it must be, nothing personal in what is logged or printed."""

import ast
import re

from tests.contracts.source import ROOT, SRC, called, calls, modules, room
from troth.core.purpose import BASIC

_MAY_REVEAL = {"vault", "gate"}
_MAY_TOO = {
    SRC / "core" / "personal.py": "compares and hashes",
    SRC / "contact" / "mails.py": "writes a reply, with the question, to the person who asked",
    SRC / "newsletter" / "campaigns" / "mails.py": "fills a campaign in with the recipient's own name and company",
    SRC / "newsletter" / "transactional" / "orders.py": "checks what a program passed, and compares a repeated request",
    SRC / "newsletter" / "transactional" / "mails.py": "fills an email in with what a program passed for its recipient",
    SRC / "newsletter" / "campaigns" / "queries.py": "writes recipients that an operator exports, in the access log",
    SRC / "people" / "csv_export.py": "writes the list that an operator takes out, in the access log",
    SRC / "shop" / "receipts" / "buyer_details.py": "writes the buyer’s details on their own invoice",
    SRC / "rights" / "mails.py": "writes what is kept of a person into an email to them",
    SRC / "rights" / "export_documents.py": "writes out what is kept of a person, for them",
    SRC / "proofs" / "instruments" / "encodings.py": "the forms in which proofs look for invented people",
}
_PERSONAL_NAMES = {"address", "recipient", "person_name", *(category.value for category in BASIC)}
_LOGS = {"debug", "info", "warning", "error", "exception", "critical", "log", "tell"}


def _reveals():
    return [
        (path, call)
        for path in modules()
        for name, call in calls(path)
        if name.rpartition(".")[2] == "reveal" or (name == "getattr" and "'reveal'" in ast.unparse(call))
    ]


def test_values_are_revealed_only_in_vault_and_gate_and_where_they_are_written_out():
    """C2, C3."""
    found = [
        f"{called(path)}:{call.lineno}"
        for path, call in _reveals()
        if room(path) not in _MAY_REVEAL and path not in _MAY_TOO
    ]
    assert found == []


def test_there_is_something_to_find():
    assert len(_reveals()) >= 4


def test_templates_reveal_by_the_vaults_filter_only():
    found = [
        called(path)
        for path in SRC.rglob("*.html")
        if "reveal" in path.read_text("utf-8") and "{% load personal %}" not in path.read_text("utf-8")
    ]
    assert found == []


def _fields(call: ast.Call) -> set[str]:
    return {word.arg for word in call.keywords if word.arg}


def test_no_log_call_has_a_field_for_a_person():
    """Logs take closed fields only; none of them is named like a contact detail."""
    found = [
        f"{called(path)}:{call.lineno} {sorted(_fields(call) & _PERSONAL_NAMES)}"
        for path in modules()
        if room(path) != "demo"
        for name, call in calls(path)
        if name.rpartition(".")[2] in _LOGS and _fields(call) & _PERSONAL_NAMES
    ]
    assert found == []


def test_no_log_call_puts_values_into_its_text():
    """An f-string or `%` in a log call is how a value slips in; ours log fixed words and fields."""
    found = [
        f"{called(path)}:{call.lineno}"
        for path in modules()
        if room(path) != "demo"
        for name, call in calls(path)
        if re.fullmatch(r"(_?log|logger|logging|_?logger)\.(debug|info|warning|error|exception|critical)", name)
        and call.args
        and not isinstance(call.args[0], ast.Constant)
    ]
    assert found == []


def test_nothing_is_printed_that_names_a_secret():
    """`print` of a key, a password or a token. One-time links are printed on purpose, by the shell's own commands."""
    secrets = re.compile(r"\b(password|secret|private|key_bytes|seal_key|token)\b", re.IGNORECASE)
    found = [
        f"{called(path)}:{call.lineno}"
        for path in modules()
        for name, call in calls(path)
        if name == "print"
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Name | ast.Attribute) and secrets.search(getattr(part, "id", getattr(part, "attr", "")))
    ]
    assert found == []


def test_the_three_rooms_are_where_they_are_said_to_be():
    assert all((ROOT / "src" / "troth" / name).is_dir() for name in _MAY_REVEAL)

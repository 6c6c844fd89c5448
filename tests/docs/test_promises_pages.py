"""The pages for visitors, auditors and operators name every promise, mark, address, place and variable there is."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import commands
from troth.front import app, snapshot
from troth.policy import text as policy
from troth.policy.html import LABELS
from troth.policy.promise import State
from troth.policy.promises import PROMISES

DOCS = Path(__file__).parents[2] / "docs"


def text(name):
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("page", ["promises.md", "auditing.md"])
def test_each_promise_is_in_the_tables_and_no_other(page):
    assert set(re.findall(r"^\| `([a-z]+\.[a-z-]+)` ", text(page), re.MULTILINE)) == set(PROMISES.ids)


def test_each_mark_is_explained():
    marks = set(re.findall(r"^\| [✓✕?…] ([A-Z][a-z ]+?) *\|", text("promises.md"), re.MULTILINE))
    assert marks == set(LABELS.values()) and len(LABELS) == len(State)


def test_each_address_for_programs_is_told():
    served = {route.path for route in app._ROUTES if route.path.startswith("/.well-known/")}
    assert set(re.findall(r"^\| `(/\.well-known/[^`]+)`", text("promises.md"), re.MULTILINE)) == served


def test_each_colour_that_can_be_set_is_named():
    style = snapshot.POLICY_STYLE.data.decode()
    used = set(re.findall(r"var\((--troth-[a-z]+)", style))
    assert used == set(re.findall(r"--troth-[a-z]+", text("promises.md")))


def test_each_place_in_the_text_is_told():
    assert set(policy.PLACE.findall(text("policy.md"))) == set(policy.PLACES)


def test_the_limit_is_the_codes():
    assert f"{policy.LONGEST:,} bytes" in text("policy.md")


def test_commands_of_the_policy_exist():
    known = {name for name in commands() if name.startswith("policy ")}
    for page in ("policy.md", "auditing.md"):
        named = {f"policy {word}" for word in re.findall(r"troth\s+policy ([a-z]+)", text(page))}
        assert named and named <= known

"""Docs are tests: each setting, command, door, outcome and reason is documented, and nothing that is not there."""

import re
from pathlib import Path

import pytest
from rich.text import Text

from tests.docs import pages
from troth.core.config import sections
from troth.core.config.sections import Config, DatabaseSection, SiteSection
from troth.gate import bulk, doors, failure_reasons, outbox, smtp
from troth.newsletter import rate_limits
from troth.vault.models import AsideItem

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_made_page_says_what_the_code_says(page: str) -> None:
    told = (DOCS / page).read_text("utf-8")
    assert told == pages.PAGES[page](), "run `python -m tests.docs.pages` and read what changed"


def test_each_setting_means_something() -> None:
    lines = [line for line in pages.settings_page().splitlines() if line.startswith("| `")]
    assert len(lines) == sum(
        len(struct.__struct_fields__) for struct in (*sections.sections().values(), *sections.LISTS.values())
    )
    assert [line for line in lines if line.endswith("|  |")] == []


def test_each_command_and_option_says_what_it_does() -> None:
    for name, command in pages.commands().items():
        assert command.help, name
        for one in command.params:
            assert getattr(one, "help", "") or one.metavar, f"{name}: {one.name}"


def test_no_help_text_loses_what_stands_in_brackets() -> None:
    """Help is rich markup, which takes `[mail]` for a style: `\\[mail]` is shown as it is."""
    for name, command in pages.commands().items():
        for text in [command.help, *(getattr(one, "help", "") for one in command.params)]:
            shown = Text.from_markup(text or "").plain
            assert shown == (text or "").replace("\\[", "["), f"{name}: {shown}"


def test_commands_in_the_docs_exist() -> None:
    known = {name.split()[0] for name in pages.commands()}
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        named = set(re.findall(r"(?:`|^    (?:\$ )?|\| )troth ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
        assert named <= known, page.name


def test_the_page_of_commands_names_sections_as_they_are_written() -> None:
    assert "`folder` under [backup]" in (DOCS / "commands.md").read_text("utf-8")


def test_settings_in_the_docs_exist() -> None:
    known = {
        f"{section}.{name}" for section, struct in sections.sections().items() for name in struct.__struct_fields__
    }
    named = re.compile(r"`([a-z_]+)`(?: and `[a-z_]+`)* under `\[([a-z]+)\]`")
    for page in DOCS.glob("*.md"):
        for name, section in named.findall(page.read_text("utf-8")):
            assert f"{section}.{name}" in known, f"{page.name} names {name} under [{section}]"


def test_each_door_is_on_the_gates_page() -> None:
    site = SiteSection(name="Example Software", url="https://www.example.com")
    database = DatabaseSection(url="postgresql://troth@localhost:5432/troth")
    text = (DOCS / "wall-3.md").read_text("utf-8")
    made = doors.declared(Config(site=site, database=database))
    assert {door.name for door in made} == set(re.findall(r"^\| `([a-z-]+)` ", text, re.MULTILINE))


def test_each_outcome_and_reason_of_a_mail_is_on_its_page() -> None:
    text = (DOCS / "mail.md").read_text("utf-8")
    table = text.partition("| word ")[2].partition("\n\n")[0]
    named = {word for line in table.splitlines()[2:] for word in re.findall(r"`([a-z_-]+)`", line.split("|")[1])}
    ours = {
        outbox.NO_LONGER_WANTED,
        outbox.WORKER_STOPPED,
        rate_limits.PERSON_CAP,
        rate_limits.DOMAIN_CAP,
        bulk.CANCELLED,
        "dropped",
        "restored",
    }
    assert named == smtp.REASONS | ours == set(failure_reasons.WORDS)
    outcomes = {re.sub(r"\W", "", line.split("|")[1]).lower() for line in text.splitlines() if line.startswith("| **")}
    every = (smtp.Sent, smtp.Temporary, smtp.Permanent, smtp.Uncertain, smtp.HeldMail)
    assert outcomes == {one.__name__.lower().removesuffix("mail") for one in every}


def test_each_reason_for_setting_something_aside_is_on_the_page_for_operators() -> None:
    text = (DOCS / "serve.md").read_text("utf-8")
    for reason in AsideItem.Reason:
        assert f"| {reason.label} " in text, reason


def test_every_process_and_folder_of_the_house_is_on_the_page_for_operators() -> None:
    text = (DOCS / "serve.md").read_text("utf-8")
    for folder in ("keys/seal", "keys/sign", "keys/people", "keys/office", "data", "spool", "public"):
        assert f"`{folder}`" in text, folder
    for role in ("front", "clerk", "worker", "office"):
        assert f"`troth-{role}`" in text, role


def test_each_wall_has_a_page_that_says_what_it_does_not_do_and_how_to_try_it() -> None:
    for number in range(1, 5):
        text = (DOCS / f"wall-{number}.md").read_text("utf-8")
        assert "## What it does not do" in text, number
        assert re.search(r"^## (Try it yourself|How it is tried)", text, re.MULTILINE), number

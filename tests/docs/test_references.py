"""What docstrings, comments and docs point to is in this repository, and each word of the glossary has its place in the
code."""

import ast
import re
import tokenize
from pathlib import Path

import pytest

from troth.policy.promises import PROMISES

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "troth"
_PACKAGES = {path.name for path in SOURCE.iterdir() if path.is_dir() and not path.name.startswith("_")}
_PAGE = re.compile(r"\bdocs/[\w./-]+\.(?:md|svg|json)\b")
_FILE = re.compile(r"`((?:[\w-]+/)+[\w-]+\.py)`")
_MODULE = re.compile(r"`(?:troth\.)?([a-z_]+)\.(?!md`|css`|url`)([a-z_]+)((?:\.\w+)*)(?:\(\))?`")
_ELSEWHERE = re.compile(
    r"\b(?:the|our|this) design\b|\bDESIGN\b|\bADR\b|\b(?:issue|ticket) #?\d"
    r"|\b(?:first|second|third|fourth|fifth) walk\b"
)
_IDS = {*PROMISES.ids, *(proof.id for promise in PROMISES for proof in promise.proofs)}


def _texts():
    """Every docstring, attribute's docstring and comment of the code, and every page but the changelog."""
    for path in sorted(
        path for folder in ("src", "tests", "bench", "trial", "tools") for path in (ROOT / folder).rglob("*.py")
    ):
        yield path, _prose(path)
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        yield page, page.read_text("utf-8")


def _prose(path):
    tree = ast.parse(path.read_text("utf-8"))
    strings = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    return "\n".join([*strings, *comments])


TEXTS = dict(_texts())


def _missing(pattern, exists):
    return [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in TEXTS.items()
        for match in pattern.finditer(text)
        if not exists(match)
    ]


def test_each_page_that_is_named_exists():
    assert _missing(_PAGE, lambda match: (ROOT / match[0]).exists()) == []


def test_each_file_of_the_code_that_is_named_exists():
    assert _missing(_FILE, lambda match: (SOURCE / match[1]).exists() or (ROOT / match[1]).exists()) == []


def test_each_module_of_the_code_that_is_named_exists():
    def exists(match):
        package, module = match[1], match[2]
        if package not in _PACKAGES or f"{package}.{module}{match[3]}" in _IDS:
            return True  # another library's, or the id of a promise or a proof
        return (SOURCE / package / f"{module}.py").exists() or (SOURCE / package / module).is_dir()

    assert _missing(_MODULE, exists) == []


def test_no_text_points_to_one_that_a_stranger_does_not_have():
    assert _missing(_ELSEWHERE, lambda match: False) == []


GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")


@pytest.mark.parametrize("row", re.findall(r"^\| (\w[\w ]*) \| (.+) \| (\[.+) \|$", GLOSSARY, re.M))
def test_each_word_of_the_glossary_is_explained_and_leads_to_the_code(row):
    word, meaning, link = row
    assert len(meaning) > 30 and re.fullmatch(r"\[[\w/.]+\]\(\.\./[\w/.]+\)", link), word


def test_the_glossary_has_thirty_words_in_order():
    words = re.findall(r"^\| (?!word)(\w[\w ]*?) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.M)
    assert len(words) == 30 and words == sorted(words)

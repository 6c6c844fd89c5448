"""Cells of CSV files: no spreadsheet finds a formula in one, however it parts the file; and each comes back."""

import csv
import io
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.core.text.csv_cells import as_it_was, neutral

SIGNS = ["=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "₊", "−", "％", "｜"]
UNSEEN = ["", " ", "\t", "\r", "\n", "\x00", "\x0b", "\xa0", "\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad", "\u3000",
          "\u3164", "\ufe0f", "\U000e0020", "\u202e", "'", '"', "''", "' \u200b\""]  # fmt: skip
PARTING = [",", ";", "\t", "|", "\n", "\r", "\u2028", "；", "，", "\u037e"]


def _begins_formula(cell: str) -> bool:
    """As the most generous of spreadsheets would see it: it skips what is not seen, and folds what looks alike."""
    folded = unicodedata.normalize("NFKC", cell).replace("\u2212", "-").replace('"', "")
    return folded.lstrip(" \t\r\n\v\f\x00\u200b\u200d\ufeff\u2060\u00ad\u3164\u1160\ufe0f\U000e0020\u202e")[:1] in set(
        "=+-@|%"
    )


def _parted(line: str, sign: str) -> list[str]:
    return line.replace("\u2028", "\n").replace(sign, "\n").replace("\r", "\n").split("\n")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("unseen", UNSEEN)
def test_no_cell_begins_a_formula_whatever_stands_before_the_sign(unseen, sign):
    cell = neutral(f"{unseen}{sign}1+1")
    assert not _begins_formula(cell)
    assert as_it_was(cell) == f"{unseen}{sign}1+1"


@pytest.mark.parametrize("parting", PARTING)
@pytest.mark.parametrize("unseen", ["", " ", "\u200b", '"', '""', "\ufeff "])
@pytest.mark.parametrize("sign", ["=", "＝", "@"])
def test_nor_does_a_part_of_one_where_the_file_is_parted_by_another_sign(parting, unseen, sign):
    text = f"a{parting}{unseen}{sign}1+1{parting}b"
    out = io.StringIO(newline="")
    csv.writer(out).writerow(["x@example.com", neutral(text), "end"])
    for other in (",", ";", "\t", "|", "；", "，", "\u037e"):
        assert not [part for part in _parted(out.getvalue(), other) if _begins_formula(part)], other
    assert as_it_was(neutral(text)) == text


@pytest.mark.parametrize(
    "text", ["Ada Example", "O'Neill", "'s Gravenhage", "Smith-Jones; Son", "a=b", "50 %", "", "'"]
)
def test_what_is_no_formula_stays_as_it_is(text):
    assert neutral(text) == text == as_it_was(text)


_PIECES = st.sampled_from([*SIGNS, *UNSEEN, *PARTING, "a", "1", "'"])


@given(st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=9).map("".join)))
@example("'=;'\t'=,'=")
def test_every_cell_comes_back_as_it_was(text):
    marked = neutral(text)
    assert as_it_was(marked) == text
    assert as_it_was(neutral(marked)) == marked
    for parting in PARTING:
        assert not [part for part in marked.split(parting) if _begins_formula(part)]


def test_a_long_row_of_separators_takes_no_time():
    began = time.perf_counter()
    assert as_it_was(neutral("; " * 500)) == "; " * 500
    assert time.perf_counter() - began < 0.5

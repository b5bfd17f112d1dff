"""Date expressions: what is one, what it covers, and what only looks like one; the cases stand in ``dates.tsv``."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepred.base.days import Interval
from deepred.text.dates.find import Precision, find_dates

Expected = tuple[int, int, Interval, str, bool]
"""Start and end in the text, what is covered, the precision's name, and whether it is approximate."""

_MARK = re.compile(r"[{}]")


def read_day(text: str) -> tuple[Interval, str]:
    """ "1969-07" as its days and the precision of its form: ``-44`` is 44 BC."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    year, *rest = (int(part) for part in digits.split("-"))
    name = ("year", "month", "day")[len(rest)]
    return Interval.of(year if sign > 0 else 1 - year, *rest), name


def read_expected(text: str) -> tuple[Interval, str, bool]:
    """ "1966..1969 decade~" as days, precision and whether it is approximate."""
    when, _, name = text.strip().partition(" ")
    first, _, last = when.partition("..")
    one, form = read_day(first)
    other = read_day(last)[0] if last else one
    return Interval(one.first, other.last), name.rstrip("~") or form, name.endswith("~")


def read_case(line: str) -> tuple[str, list[Expected]]:
    """A line of the table as a text without braces and what is to be found in it."""
    marked, _, answers = line.partition("\t")
    pieces = _MARK.split(marked)
    ends = [sum(map(len, pieces[: n + 1])) for n in range(len(pieces))]
    spans = zip(ends[0::2], ends[1::2], strict=False)
    wanted = [read_expected(answer) for answer in answers.split(";") if answer.strip()]
    return "".join(pieces), [(*span, *answer) for span, answer in zip(spans, wanted, strict=True)]


LINES = [
    line
    for line in (Path(__file__).parent / "dates.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("line", LINES)
def test_expressions_of_a_text_are_found_as_the_table_says(line: str) -> None:
    text, expected = read_case(line)
    found = [
        (span.start, span.end, span.interval, span.precision.name.lower(), span.approximate)
        for span in find_dates(text)
    ]
    assert found == expected


@pytest.mark.parametrize("line", [line for line in LINES if "{" in line][::3])
def test_sentence_around_an_expression_changes_nothing(line: str) -> None:
    text, expected = read_case(line)
    lead = "It was so, they say, "
    found = [span.interval for span in find_dates(f"{lead}{text} , and that was all.")]
    assert found == [row[2] for row in expected]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Signed JUNE 6, 1969 in Rome.", {"JUNE 6, 1969": (19690606, 19690606)}),
        ("Settled 1400-1350/1300 BC by farmers.", {"1400-1350/1300 BC": (-13989899, -12988769)}),
        ("Destroyed in 1190/85 BC by fire.", {"1190/85 BC": (-11889899, -11838769)}),
        ("Darwin climbed it in his late 70s.", {}),
        ("Temperatures are in the 80s in summer.", {}),
        ("The bridge opened on 16-03-2020.", {"16-03-2020": (20200316, 20200316)}),
        ("It was released in June '98.", {"June '98": (19980601, 19980630)}),
    ],
)
def test_matched_text_and_days_as_numbers(text: str, found: dict[str, tuple[int, int]]) -> None:
    assert {
        text[span.start : span.end]: (span.interval.first, span.interval.last) for span in find_dates(text)
    } == found


@pytest.mark.parametrize(
    "part",
    ["1/", "5, ", "80s and ", "his 80s, ", "temperatures in the 80s and ", "1400-", "1190/85–", "499, 498 and ",
     "June, ", "the sixties and ", "first, second, third ", "19th, ", "in nineteen sixty-", "20 III ", "'98–", "100s ",
     "the mid-to-"],
)  # fmt: skip
def test_time_grows_with_the_length_of_the_text(part: str) -> None:
    text = (part * 20_000)[:20_000]
    started = time.process_time()
    find_dates(text)
    assert time.process_time() - started < 5


def test_precision_follows_the_form() -> None:
    text = "20 July 1969, July 1969, 1969, the 1960s, the 19th century, the 3rd millennium BC"
    assert [span.precision for span in find_dates(text)] == list(reversed(Precision))


ATOMS = [
    "19", "1969", "July", "20", "BC", "AD ", "c. ", "–", "-", " to ", " and ", "th", " century", "0s", "'", "(", ")",
    ",", "late ", "between ", ".", " ", "/", "O.S.", "99999999999", "５", "²", "\n", "the ", "summer of ", "b. ", "96",
    "twentieth ", "nineteen ", "sixty-nine", "twenty-", "Q3 ", "FY", "Easter ", "XII", "JUNE ", "s", "his ", "late 70s",
]  # fmt: skip


@given(st.lists(st.sampled_from(ATOMS), max_size=25))
def test_spans_of_any_text_are_ordered_and_apart_and_their_intervals_rise(atoms: list[str]) -> None:
    text = "".join(atoms)
    end = 0
    for span in find_dates(text):
        assert end <= span.start < span.end <= len(text)
        assert span.interval.first <= span.interval.last
        end = span.end

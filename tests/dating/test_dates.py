"""Date expressions: what is one, what it covers, and what only looks like one."""

from __future__ import annotations

import pytest

from deepred.dating.dates import Precision, find_dates

DATES = [
    # text, first, last
    ("on 20 July 1969", 19690720, 19690720),
    ("on July 20, 1969", 19690720, 19690720),
    ("on July 20 1969", 19690720, 19690720),
    ("on the 4th of July, 1776", 17760704, 17760704),
    ("in July 1969", 19690701, 19690731),
    ("in February 1968", 19680201, 19680229),
    ("in July of 1969", 19690701, 19690731),
    ("on 1969-07-20", 19690720, 19690720),
    ("on 20/07/1969", 19690720, 19690720),
    ("on 7/20/1969", 19690720, 19690720),
    ("on 3.4.1969", 19690101, 19691231),
    ("in 1969", 19690101, 19691231),
    ("c. 1890", 18900101, 18901231),
    ("circa 1890", 18900101, 18901231),
    ("the 1960s", 19600101, 19691231),
    ("the late 1960s", 19660101, 19691231),
    ("the early 1960s", 19600101, 19631231),
    ("the mid-1960s", 19630101, 19661231),
    ("the '60s", 19600101, 19691231),
    ("the swinging sixties", 19600101, 19691231),
    ("the early nineteen-fifties", 19500101, 19531231),
    ("the 1800s", 18000101, 18991231),
    ("the early 1900s", 19000101, 19391231),
    ("the 19th century", 18010101, 19001231),
    ("the 21st century", 20010101, 21001231),
    ("the nineteenth century", 18010101, 19001231),
    ("the late 19th century", 18610101, 19001231),
    ("the first half of the 20th century", 19010101, 19501231),
    ("the turn of the 20th century", 18910101, 19101231),
    ("18th-century France", 17010101, 18001231),
    ("the 18th and 19th centuries", 17010101, 19001231),
    ("the 4th century BC", -3989899, -2998769),
    ("the 3rd millennium BC", -29989899, -19998769),
    ("the second millennium", 10010101, 20001231),
    ("44 BC", -429899, -428769),
    ("1 BC", 101, 1231),
    ("10,000 BC", -99989899, -99988769),
    ("AD 79", 790101, 791231),
    ("79 AD", 790101, 791231),
    ("1066 CE", 10660101, 10661231),
    ("from 427–347 BC", -4259899, -3458769),
    ("(63 BC – AD 14)", -619899, 141231),
    ("from 1911 to 1923", 19110101, 19231231),
    ("between 1911 and 1923", 19110101, 19231231),
    ("in 1965–72", 19650101, 19721231),
    ("in 1965-1972", 19650101, 19721231),
    ("in 1998/99", 19980101, 19991231),
    ("16–24 July 1969", 19690716, 19690724),
    ("July 16–24, 1969", 19690716, 19690724),
    ("20 July – 3 August 1969", 19690720, 19690803),
    ("July 20 – August 3, 1969", 19690720, 19690803),
    ("July–August 1969", 19690701, 19690831),
    ("(12 February 1809 – 15 April 1865)", 18090212, 18650415),
    ("(c. 1100 – 18 November 1170)", 11000101, 11701118),
    ("7 November [O.S. 25 October] 1917", 19171107, 19171107),
    ("fl. 1210", 12100101, 12101231),
    ("(849–899)", 8490101, 8991231),
    ("in 476, the fall", 4760101, 4761231),
]

NONE = [
    "1,980 km",
    "it is 1980 km long",
    "2001: A Space Odyssey",
    "in room 1984",
    "on pp. 1965–72",
    "on page 1969",
    "worth $1969",
    "over 1900 species",
    "about 1500 men",
    "1500 m",
    "20th Century Fox",
    "his 19th century at Lord's",
    "in his sixties",
    "20 July",
    "3.1415",
    "B1969",
    "NGC 1976",
    "Flight 1549",
    "a 1200-seat hall",
    "ISO 1984",
    "one in 500, he said",
    "the first century of its existence",
    "No. 1917",
    "1080p",
    "at 1900 hours",
    "1969%",
    "1969.5",
]


@pytest.mark.parametrize(("text", "first", "last"), DATES)
def test_expression_covers_its_days(text: str, first: int, last: int) -> None:
    assert [(span.interval.first, span.interval.last) for span in find_dates(text)] == [(first, last)]


@pytest.mark.parametrize("text", NONE)
def test_false_friend_is_refused(text: str) -> None:
    assert find_dates(text) == []


def test_span_is_the_expression_with_its_modifiers() -> None:
    text = "Built in the late 1960s, or c. 1970."
    assert [text[span.start : span.end] for span in find_dates(text)] == ["late 1960s", "c. 1970"]


def test_modified_dates_are_approximate() -> None:
    assert [span.approximate for span in find_dates("c. 1890, 1891 and the late 1960s")] == [True, False, True]


def test_precision_follows_the_form() -> None:
    text = "20 July 1969, July 1969, 1969, the 1960s, the 19th century, the 3rd millennium BC"
    assert [span.precision for span in find_dates(text)] == list(reversed(Precision))

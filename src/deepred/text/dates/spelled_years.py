"""Years in words: "nineteen sixty-nine", "nineteen-oh-five", "two thousand and three", "twenty twenty"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.base.days import Interval
from deepred.text.dates.not_dates import is_counted
from deepred.text.dates.parts import MONTH, DateSpan, Precision

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = (
    {word: number for number, word in enumerate(_ONES, 1)}
    | {word: number for number, word in enumerate(_TEENS, 10)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
)
_ONE = "|".join(_ONES)
_BELOW_100 = rf"(?:{'|'.join(_TENS)})(?:[-\s](?:{_ONE}))?|{'|'.join(reversed(_TEENS))}"
_YEAR = re.compile(
    rf"\b(?:(?P<century>{'|'.join(_TEENS)}|twenty)[-\s](?:(?P<rest>{_BELOW_100}|(?:oh|o)[-\s](?:{_ONE}))"
    rf"|hundred(?:[-\s](?:and[-\s])?(?P<over>{_BELOW_100}|{_ONE}))?)"
    rf"|two[-\s]thousand(?:[-\s](?:and[-\s])?(?P<thousands>{_BELOW_100}|{_ONE}))?)(?![\w-])",
    re.IGNORECASE,
)
_LEAD = re.compile(
    rf"(?:\b(?:in|since|of|by|until|till|from|to|before|after|during|around|about|circa|year)|{MONTH}|\w(?:th|st|rd|nd),?)\s\Z",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\s?(?:[.,;:)?!]|\Z|\s(?:and|the|when|he|she|it|they|we|to|in|at|by|on|for|with|but|or|until|was|is)\b)"
)
_PARTS = ("ten sixty", "eleven", "twelve", "teen", "wenty", "two thousand", "Two thousand", "two-thousand")
_LONGEST_START = len("seventeen")
EARLIEST_WITHOUT_LEAD = 1500


def spelled_years(text: str) -> Iterator[DateSpan]:
    """The years that are written in words, in no order.

    >>> [span.interval.first for span in spelled_years("It was in nineteen sixty-nine.")]
    [19690101]
    """
    seen: set[int] = set()
    for part in _PARTS:
        place = text.find(part)
        while place >= 0:
            match = _YEAR.search(text, max(0, place - _LONGEST_START), place + 64)
            if match and match.start() <= place < match.end() and match.start() not in seen:
                seen.add(match.start())
                if (year := _year(text, match)) is not None:
                    yield DateSpan(match.start(), match.end(), Interval.of(year), Precision.YEAR, False)
            place = text.find(part, place + len(part))


def _year(text: str, match: re.Match[str]) -> int | None:
    """The year of a number in words; None where it is a title, counts something, or nothing says that it is a year."""
    century, over = match["century"], match["over"] or match["thousands"]
    year = _number(century) * 100 if century else 2000
    year += _number(match["rest"] or over or "")
    words = match[0].replace("-", " ").split()
    if words[0][0].isupper() and words[1][0].isupper():
        return None  # Nineteen Eighty-Four
    if is_counted(text, match.end()):
        return None
    if _LEAD.search(text, max(0, match.start() - 20), match.start()):
        return year if over or match["rest"] or _FOLLOWS.match(text, match.end()) else None
    plain = match["rest"] and words[1].lower() in _TENS and len(words) == 3
    return year if plain and year >= EARLIEST_WITHOUT_LEAD else None


def _number(words: str) -> int:
    """The number below a hundred of one or two words, "oh" being none: ``_number("sixty-nine") == 69``."""
    return sum(_NUMBERS.get(word, 0) for word in words.lower().replace("-", " ").split())

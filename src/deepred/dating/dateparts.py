"""The parts of a date expression: its records, and what modifiers, centuries and eras make of years.

Years are astronomical (44 BC is -43). A modifier narrows an interval generously ("late 1960s" is 1966-1969): the
parts overlap, because writers do not agree on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from deepred.documents import Interval, day, month_length

PART = r"(?:very\s+)?(?:early|mid(?:dle\s+of)?|late|(?:beginning|start|end|close|turn)\s+of)"
HALF = r"(?:(?:first|1st|second|2nd|latter)\s+half|(?:first|second|third|last|final)\s+(?:quarter|third|decades?))\s+of"
ERA = r"(?:\s?(?P<era>B\.?\s?C\.?(?:\s?E\b\.?)?|C\.?\s?E\b\.?|A\.\s?D\.|AD)(?![A-Za-z]))"
"""An era after a number."""
OWNED = re.compile(r"(?:\b(?i:his|her|my|a|another|maiden)\s+|[$£€#])\Z")
"""Owners of a "19th century" that is a cricketer's score."""


class Precision(IntEnum):
    """How exact a date is, with Wikidata's numbers."""

    MILLENNIUM = 6
    CENTURY = 7
    DECADE = 8
    YEAR = 9
    MONTH = 10
    DAY = 11


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A date expression: its span in the text, the days it covers, and whether it is only approximate."""

    start: int
    end: int
    interval: Interval
    precision: Precision
    approximate: bool


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before a number and belongs to its date: "c.", "late", "July", "AD"."""

    start: int
    number: int
    """Where the number begins."""
    circa: bool = False
    part: str = ""
    part_end: str = ""
    month: int = 0
    month_end: int = 0
    """The later month of "July–August 1969", else the month itself."""
    ad: bool = False
    apostrophe: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A date that was read: where it ends, what it covers, how exact it is."""

    end: int
    interval: Interval
    precision: Precision
    approximate: bool = False
    bare: bool = False
    """Only a number, without era or month."""


def centuries(end: int, first: int, last: int, unit: str, era: str | None, prefix: Prefix) -> Expression | None:
    """The expression of the first to the last century or millennium; None for one that lies in no text's past."""
    size, precision = (100, Precision.CENTURY) if unit[0] in "cC" else (1000, Precision.MILLENNIUM)
    before_christ = bool(era and era[0] == "B")
    if (not before_christ and max(first, last) > 21) or not first or not last:
        return None
    years = [nth(number, size, before_christ) for number in (first, last)]
    low, high = min(span[0] for span in years), max(span[1] for span in years)
    if prefix.part:
        low, high = narrow(years[0], prefix)[0], (high if first != last else narrow(years[0], prefix)[1])
    return Expression(end, Interval(day(low), day(high, 12, 31)), precision, bool(prefix.part) or prefix.circa)


def nth(number: int, size: int, before_christ: bool) -> tuple[int, int]:
    """First and last year of the nth century or millennium: the 19th century is 1801-1900."""
    if before_christ:
        return 1 - number * size, -(number - 1) * size
    return (number - 1) * size + 1, number * size


_SHARES = {
    "early": (0.0, 0.4), "beginning": (0.0, 0.3), "start": (0.0, 0.3), "mid": (0.3, 0.7), "middle": (0.3, 0.7),
    "late": (0.6, 1.0), "end": (0.7, 1.0), "close": (0.7, 1.0), "turn": (-0.1, 0.1),
    "first half": (0.0, 0.5), "1st half": (0.0, 0.5), "second half": (0.5, 1.0), "2nd half": (0.5, 1.0),
    "latter half": (0.5, 1.0), "first quarter": (0.0, 0.25), "second quarter": (0.25, 0.5),
    "third quarter": (0.5, 0.75),
    "last quarter": (0.75, 1.0), "final quarter": (0.75, 1.0), "first third": (0.0, 0.34), "second third": (0.33, 0.67),
    "last third": (0.66, 1.0), "final third": (0.66, 1.0), "first decade": (0.0, 0.1), "first decades": (0.0, 0.4),
    "last decade": (0.9, 1.0), "final decade": (0.9, 1.0), "last decades": (0.6, 1.0), "final decades": (0.6, 1.0),
    "second decade": (0.1, 0.2), "third decade": (0.2, 0.3), "second decades": (0.1, 0.4), "third decades": (0.2, 0.5),
    "third third": (0.66, 1.0),
}  # fmt: skip
"""Shares of a century, decade or year that a modifier leaves; generous and overlapping, since usage varies."""


def _share(part: str) -> tuple[float, float]:
    words = part.removeprefix("very ").split()
    return _SHARES.get(" ".join(words[:2])) or _SHARES[words[0]]


def narrow(years: tuple[int, int], prefix: Prefix) -> tuple[int, int]:
    """The years that a modifier leaves of first..last: late (1960, 1969) is (1966, 1969)."""
    low, high = years
    size = high - low + 1
    begin, end = _share(prefix.part)
    if prefix.part_end:
        end = _share(prefix.part_end)[1]
    return low + round(begin * size), low + max(round(end * size), round(begin * size) + 1) - 1


def narrow_year(year: int, prefix: Prefix) -> Interval:
    """The months that a modifier leaves of a year: early 1969 is January to June."""
    begin, end = _share(prefix.part)
    end = _share(prefix.part_end)[1] if prefix.part_end else end
    first_month = min(12, max(1, round(begin * 12)))
    last_month = min(
        12, max(1, round(end * 12) + (1 if end < 1 and prefix.part.split()[0] not in ("first", "1st") else 0))
    )
    return Interval(day(year, first_month), day(year, last_month, month_length(year, last_month)))

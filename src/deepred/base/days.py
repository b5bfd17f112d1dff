"""Days of any era as numbers, and intervals of them.

A *day* is one signed integer, ``year * 10000 + month * 100 + day`` with astronomical years (1 BCE is year 0, 44 BCE
is -43), so that days of any era compare as numbers and read as dates: 20 July 1969 is 19690720.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Day = int
"""``year * 10000 + month * 100 + day``, astronomical years, proleptic Gregorian."""

DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""English month names, January first: written out, because those of ``calendar`` follow the locale."""

Side = Literal["before", "after", "straddling"]


def day(year: int, month: int = 1, day: int = 1) -> Day:
    """The day as one comparable number: ``day(1969, 7, 20) == 19690720``, ``day(-43, 3, 15) == -429685``."""
    return year * 10000 + month * 100 + day


def year_of(value: Day) -> int:
    """The astronomical year of a day: ``year_of(19690720) == 1969``, ``year_of(-429685) == -43``."""
    return value // 10000


def month_of(value: Day) -> int:
    """The month (1-12) of a day."""
    return value % 10000 // 100


def is_leap(year: int) -> bool:
    """Whether a proleptic Gregorian year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    """The number of days in a month: ``month_length(1969, 2) == 28``."""
    return 29 if month == 2 and is_leap(year) else DAYS_IN_MONTH[month - 1]


def from_date(value: date) -> Day:
    """A ``datetime.date`` as a day."""
    return day(value.year, value.month, value.day)


def format_day(value: Day) -> str:
    """A day as people read it: ``format_day(19690720) == "1969-07-20"``, ``format_day(-429685) == "44 BCE-03-15"``."""
    year, month, number = value // 10000, value % 10000 // 100, value % 100
    shown = f"{year:04d}" if year > 0 else f"{1 - year} BCE"
    return f"{shown}-{month:02d}-{number:02d}"


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """All days from ``first`` to ``last``, both included: "July 1969" is ``Interval(19690701, 19690731)``."""

    first: Day
    last: Day

    def side(self, cutoff: Day) -> Side:
        """Where the interval lies: wholly before the cutoff, wholly on or after it, or across it.

        >>> Interval(19690719, 19690719).side(19690720)
        'before'
        """
        if self.last < cutoff:
            return "before"
        return "after" if self.first >= cutoff else "straddling"

    @staticmethod
    def of(year: int, month: int | None = None, number: int | None = None) -> Interval:
        """The interval that a year, a month or a day covers.

        >>> Interval.of(1969, 2)
        Interval(first=19690201, last=19690228)
        """
        if month is None:
            return Interval(day(year), day(year, 12, 31))
        if number is None:
            return Interval(day(year, month, 1), day(year, month, month_length(year, month)))
        return Interval(day(year, month, number), day(year, month, number))

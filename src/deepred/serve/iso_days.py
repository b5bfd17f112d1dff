"""Days as they go over the wire: ISO 8601, years before 1 with a sign (``-0043-03-15`` is 15 March 44 BCE)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema

from deepred.base.days import Day, day, month_length, month_of, year_of

DAY = re.compile(r"(-?\d{4,6})(?:-(\d{2})(?:-(\d{2}))?)?")
LAST_YEAR = 9999
FIRST_YEAR = -200_000
"""Further back a day does not fit into the 32 bits that the tables hold it in."""


def iso_day(value: Day | None) -> str | None:
    """A day as text, None where there is none.

    >>> iso_day(19690720), iso_day(-429685)
    ('1969-07-20', '-0043-03-15')
    """
    if value is None:
        return None
    year = year_of(value)
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04d}-{month_of(value):02d}-{value % 100:02d}"


def parse_day(text: str) -> Day:
    """The day that a text names; a year or a month stands for its first day. ``ValueError`` for anything else.

    >>> parse_day("1969-07-20"), parse_day("1969"), parse_day("-0043-03-15")
    (19690720, 19690101, -429685)
    """
    match = DAY.fullmatch(text.strip()) if text.isascii() else None
    if match is None:
        raise ValueError("a day is written YYYY-MM-DD, for example 1969-07-20")
    year, month, number = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"years from {FIRST_YEAR} to {LAST_YEAR} are known")
    if not 1 <= month <= 12 or not 1 <= number <= month_length(year, month):
        raise ValueError("there is no such day in the calendar")
    return day(year, month, number)


IsoDay = Annotated[Day, PlainSerializer(iso_day), WithJsonSchema({"type": "string"})]
"""A day in a record: a number here, text in JSON."""
IsoDayOrNone = Annotated[
    Day | None, PlainSerializer(iso_day), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})
]

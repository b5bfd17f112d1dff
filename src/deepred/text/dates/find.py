"""Date expressions in English prose: text in, spans with intervals out.

``find_dates`` recognises days, months, seasons, years, decades, centuries, millennia, ranges of them, eras (BC, AD) and
modifiers ("c.", "late"), and refuses numbers that only look like years ("1,980 km", "room 1984", "pp. 1965–72",
"2001: A Space Odyssey"). Only digits and a few words can start a date, so text without them costs one scan.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from deepred.text.dates.parts import DateSpan, Precision, may_start, read_prefix
from deepred.text.dates.ranges import read_expression
from deepred.text.dates.spelled import spelled_dates

__all__ = ["DateSpan", "Precision", "find_dates"]

_DIGITS = re.compile(r"[0-9]+")


def find_dates(text: str) -> list[DateSpan]:
    """The date expressions of English prose, in order and without overlap; numbers that are no dates are refused.

    >>> [span.interval for span in find_dates("He left in July 1969 for a place 1,980 km away.")]
    [Interval(first=19690701, last=19690731)]
    """
    found = list(_numeric_dates(text))
    starts = [span.start for span in found]
    more = [span for span in spelled_dates(text) if not _overlaps(span, found, starts)]
    return sorted(found + more, key=lambda span: span.start) if more else found


def _overlaps(span: DateSpan, found: list[DateSpan], starts: list[int]) -> bool:
    """Whether one of the spans found so far, whose starts are sorted, shares a character with it."""
    place = bisect_left(starts, span.end)
    return place > 0 and found[place - 1].end > span.start


def _numeric_dates(text: str) -> Iterator[DateSpan]:
    position = 0
    for match in _DIGITS.finditer(text):
        start = match.start()
        if start < position or not may_start(text, start):
            continue
        prefix = read_prefix(text, position, start)
        expression = read_expression(text, prefix)
        if expression is None:
            continue
        yield DateSpan(prefix.start, expression.end, expression.interval, expression.precision, expression.approximate)
        position = expression.end

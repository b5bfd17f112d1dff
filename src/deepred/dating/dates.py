"""Date expressions in English prose: text in, spans with intervals out.

``find_dates`` recognises days, months, years, decades, centuries, millennia, ranges of them, eras (BC, AD) and
modifiers ("c.", "late"), and refuses numbers that only look like years ("1,980 km", "room 1984", "pp. 1965–72",
"2001: A Space Odyssey"). Only digits and a few words can start a date, so text without them costs one scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.dating.dateforms import read_expression, read_prefix
from deepred.dating.dateparts import DateSpan, Precision
from deepred.dating.datewords import spelled_dates

__all__ = ["DateSpan", "Precision", "find_dates"]

_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\d+")
_CIRCA = re.compile(r"(?<![A-Za-z0-9])[cC]\.?\Z")  # c.1890, c1890


def find_dates(text: str) -> list[DateSpan]:
    """The date expressions of English prose, in order and without overlap; numbers that are no dates are refused.

    >>> [span.interval for span in find_dates("He left in July 1969 for a place 1,980 km away.")]
    [Interval(first=19690701, last=19690731)]
    """
    found = list(_numeric_dates(text)) if _DIGIT.search(text) else []
    more = [span for span in spelled_dates(text) if not any(_overlap(span, other) for other in found)]
    return sorted(found + more, key=lambda span: span.start) if more else found


def _overlap(one: DateSpan, other: DateSpan) -> bool:
    return one.start < other.end and other.start < one.end


def _numeric_dates(text: str) -> Iterator[DateSpan]:
    position = 0
    for match in _DIGITS.finditer(text):
        start = match.start()
        if start < position or not _may_start(text, start):
            continue
        prefix = read_prefix(text, position, start)
        expression = read_expression(text, prefix)
        if expression is None:
            continue
        yield DateSpan(prefix.start, expression.end, expression.interval, expression.precision, expression.approximate)
        position = expression.end


def _may_start(text: str, start: int) -> bool:
    """Whether a number is no tail of a word ("B52") or of a longer number ("1,980", "3.1415")."""
    before = text[start - 1] if start else " "
    if before.isalnum() or before in "._":
        return bool(_CIRCA.search(text[max(0, start - 3) : start]))
    return not (before == "," and text[max(0, start - 2)].isdigit())

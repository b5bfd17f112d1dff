"""A dated row of evidence about an article's subject, and how a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deepred.base.days import Day, Interval, day, format_day, year_of

ALIVE = "alive"
"""Kind without dates: the subject lived or survived when the article was written."""
ESTIMATE = "estimate"
"""Kind of a first-known date that nothing attests: a person's birth and some years."""
PERIOD = "period"
"""Kind of an article about a stretch of time itself ("1969"): its interval is a duration, not an unknown day."""
MENTION = "mention"
"""Kind of a row that is shown and decides nothing."""
PRESENT_TENSE = 0.5
"""Confidence in survival because the lead says "is": so it does of an invention of 1856 and of a novel, too."""
LASTING = 0.7
"""Confidence in survival where the lead says "is" of what goes on, such as a magazine or a company."""
CLOSED = 0.75
"""Confidence in an end that a lead states with a verb for it and nothing of a revival; beats its own present tense."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says: a kind of event, its days, and whether it makes the subject known."""

    kind: str
    first: Day | None
    last: Day | None
    source: str
    confidence: float
    note: str = ""
    known: bool = True

    def row(self) -> dict[str, Any]:
        """As a row of ``tables.date_schema``'s evidence."""
        return {
            "kind": self.kind,
            "first": self.first,
            "last": self.last,
            "source": self.source,
            "confidence": self.confidence,
            "note": self.note,
        }

    @property
    def span(self) -> int:
        """Years from its first to its last day: 0 for a day, month or year, 99 for a century."""
        return year_of(self.last) - year_of(self.first) if self.first is not None and self.last is not None else 0


LONGEST_START = 9
"""Years over which a beginning may be unclear (a decade); a longer interval with the form of years is a duration."""


def begun(kind: str, interval: Interval, source: str, confidence: float, note: str) -> Evidence:
    """Evidence of a beginning: of a duration ("from 1846 to 1895") its first year alone, of a date the date.

    >>> begun("event", Interval(18460101, 18951231), "lead", 0.6, "").last
    18461231
    """
    last = interval.last
    if year_of(last) > year_of(interval.first) and (
        year_of(interval.first) % 10 or year_of(last) - year_of(interval.first) > LONGEST_START
    ):
        last = day(year_of(interval.first), 12, 31)
    return Evidence(kind, interval.first, last, source, confidence, note)


def format_interval(first: Day | None, last: Day | None) -> str:
    """An interval as short as it is exact.

    >>> format_interval(19690101, 19691231), format_interval(19690720, 19690720), format_interval(19690101, None)
    ('1969', '1969-07-20', '1969 to now')
    """
    if first is None:
        return "undated" if last is None else f"until {format_interval(last, last)}"
    if last is None:
        return f"{_short(first)} to now"
    if first == last:
        return format_day(first)
    if first % 10000 == 101 and last % 10000 == 1231:
        one, other = _short(first), _short(last)
        return one if one == other else f"{one} to {other}"
    return f"{format_day(first)} to {format_day(last)}"


def format_end(last: Day) -> str:
    """The last day of an interval as people read it: a 31 December is a year.

    >>> format_end(19361231), format_end(18650415)
    ('1936', '1865-04-15')
    """
    return _short(last) if last % 10000 == 1231 else format_day(last)


def _short(value: Day) -> str:
    year = year_of(value)
    return str(year) if year > 0 else f"{1 - year} BCE"


def format_evidence(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Evidence rows as lines for people, in their order.

    >>> format_evidence([Evidence("birth", 18090212, 18090212, "lead", 0.9).row()])
    ['birth        1809-02-12                 lead       0.90']
    """
    return [
        f"{row['kind']:<12} {_when(row):<26} {row['source']:<9} {row['confidence']:5.2f}  {row['note']}".rstrip()
        for row in rows
    ]


def _when(row: Mapping[str, Any]) -> str:
    return "-" if row["kind"] == ALIVE else format_interval(row["first"], row["last"])

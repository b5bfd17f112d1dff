"""Categories to evidence: "1809 births", "Films released in 1977", "Companies established in 1976".

The patterns are data, a table a language, in ``categories.toml``; a category that fits none says nothing.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deepred.dating.evidence import ALIVE, Evidence
from deepred.documents import Interval, day

TABLE = Path(__file__).with_name("categories.toml")
_WHEN = (
    r"(?:the )?(?:(?P<century>\d{1,2}(?:st|nd|rd|th))[ -](?P<unit>century|millennium)|(?P<decade>\d{1,4}0)s|"
    r"(?:AD )?(?P<year>\d{1,4}))(?P<era> BCE?)?"
)
_CENTURY = r"(?P<century>\d{1,2}(?:st|nd|rd|th))[ -](?P<unit>century|millennium)(?P<era> BCE?)?"
_HAS_DATE = re.compile(r"\d|iving people")


@dataclass(frozen=True)
class Rule:
    """A pattern of category names and what it means."""

    pattern: re.Pattern[str]
    kind: str
    confidence: float
    known: bool


@cache
def rules(language: str) -> tuple[Rule, ...]:
    """The rules of a language, in the order of the table; none for a language without a table."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(
        Rule(
            re.compile(row["pattern"].replace("{when}", _WHEN).replace("{century}", _CENTURY)),
            row["kind"],
            row.get("confidence", 0.0),
            row.get("known", True),
        )
        for row in table.get(language, [])
    )


def category_evidence(category: str, language: str = "en") -> Evidence | None:
    """What a category says of its articles' date, or None.

    >>> category_evidence("1977 films").first
    19770101
    """
    if not _HAS_DATE.search(category):
        return None
    for rule in rules(language):
        match = rule.pattern.fullmatch(category)
        if match is None:
            continue
        if rule.kind == "ignore":
            return None
        if rule.kind == ALIVE:
            return Evidence(ALIVE, None, None, "category", rule.confidence, category, known=False)
        interval = _interval(match)
        if interval is None:
            return None
        return Evidence(rule.kind, interval.first, interval.last, "category", rule.confidence, category, rule.known)
    return None


def _interval(match: re.Match[str]) -> Interval | None:
    groups = match.groupdict()
    before_christ = bool(groups["era"])
    if groups["century"]:
        number = int(groups["century"][:-2])
        size = 100 if groups["unit"] == "century" else 1000
        low, high = (number - 1) * size + 1, number * size
    elif groups["decade"]:
        low = int(groups["decade"])
        high = low + 9
    else:
        low = high = int(groups["year"])
    if high == 0 or (not before_christ and high > 2100):
        return None
    if before_christ:
        low, high = 1 - high, 1 - low
    return Interval(day(low), day(high, 12, 31))

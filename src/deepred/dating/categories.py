"""Categories to evidence: "1809 births", "Films released in 1977", "Companies established in 1976".

The patterns are data, a table a language, in ``categories.toml``; a category that fits none says nothing. The names of
the languages do not collide, so that one reader serves every wiki whose language has a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from deepred.base.days import MONTHS, Interval, day
from deepred.base.files import shipped_table
from deepred.dating.evidence import ALIVE, Evidence, begun

LATEST_YEAR = 2100
ALIVE_CONFIDENCE = 0.9

_DIGIT_OR_ROMAN = re.compile(r"\d|\b[IVX]+(?:er|e)?\b")
_MONTHS_FR = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_MONTH_NUMBER = {name: number for names in (MONTHS, _MONTHS_FR) for number, name in enumerate(names, 1)}
_ROMAN = {"I": 1, "V": 5, "X": 10}
_MILLENNIA = ("millennium", "millénaire", "millennio", "Jahrtausend")
_CHRISTIAN = (" AD", " CE")


@dataclass(frozen=True)
class Rule:
    """A pattern of category names and what it means."""

    pattern: re.Pattern[str]
    kind: str
    confidence: float
    known: bool


@dataclass(frozen=True)
class Table:
    """A language's rules in their order, and how it calls people who live."""

    rules: tuple[Rule, ...]
    alive: re.Pattern[str]


@cache
def tables() -> dict[str, Table]:
    """The tables by language, English first."""
    content = shipped_table("deepred.dating", "categories.toml")
    return {language: _table(rows["when"], rows["alive"], rows["rules"]) for language, rows in content.items()}


def _table(when: str, alive: str, rows: list[dict[str, str]]) -> Table:
    rules = [
        Rule(
            re.compile(row["pattern"].replace("{when}", when)),
            row["kind"],
            float(row.get("confidence", 0.0)),
            bool(row.get("known", True)),
        )
        for row in rows
    ]
    return Table(tuple(rules), re.compile(alive))


@lru_cache(maxsize=100_000)
def category_evidence(category: str, language: str | None = None) -> Evidence | None:
    """What a category says of its articles' date, or None; of a language, or of the first whose table knows it.

    >>> category_evidence("1977 films").first, category_evidence("Décès en avril 1865").last
    (19770101, 18650430)
    """
    known = tables()
    for table in [known[language]] if language in known else known.values() if language is None else ():
        if table.alive.fullmatch(category):
            return Evidence(ALIVE, None, None, "category", ALIVE_CONFIDENCE, category, known=False)
        if not _DIGIT_OR_ROMAN.search(category):
            continue
        for rule in table.rules:
            if match := rule.pattern.fullmatch(category):
                return _evidence(rule, match, category)
    return None


def _evidence(rule: Rule, match: re.Match[str], category: str) -> Evidence | None:
    interval = _interval(match.groupdict()) if rule.kind != "ignore" else None
    if interval is None:
        return None
    if rule.kind == "event":
        return begun(rule.kind, interval, "category", rule.confidence, category)
    return Evidence(rule.kind, interval.first, interval.last, "category", rule.confidence, category, rule.known)


def _interval(groups: dict[str, str | None]) -> Interval | None:
    """The days of a matched time: a century, a decade, a year or a month; None for one that cannot be."""
    before_christ = bool(groups.get("era")) and groups["era"] not in _CHRISTIAN
    month = _MONTH_NUMBER.get(groups.get("month") or "")
    if groups.get("century"):
        number = _ordinal(groups["century"] or "")
        size = 1000 if groups.get("unit") in _MILLENNIA else 100
        low, high = (number - 1) * size + 1, number * size
    elif groups.get("decade"):
        low = int(groups["decade"] or 0)
        low += 1900 if low < 100 and not before_christ else 0
        high = low + 9
    elif groups.get("year"):
        low = high = int(groups["year"] or 0)
    else:
        return None
    if high <= 0 or (not before_christ and low > LATEST_YEAR):
        return None
    if before_christ:
        low, high = 1 - high, 1 - max(low, 1)
    return Interval.of(low, month) if month and low == high else Interval(day(low), day(high, 12, 31))


def _ordinal(text: str) -> int:
    """The number of "19th", "19" or "XIX"."""
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    values = [_ROMAN[letter] for letter in text]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))

"""What a title alone says of its subject's date."""

from __future__ import annotations

import re

from deepred.dating.dates import find_dates
from deepred.dating.evidence import PERIOD, Evidence
from deepred.documents import Interval

WORK = (
    r"(?:film|movie|novel|novella|book|album|song|single|play|opera|ballet|poem|musical|documentary|painting|sculpture|"
    r"short story|essay|video game|game|miniseries|EP|comedy|drama|thriller|western|cartoon|short|symphony|concerto|"
    r"composition|memoir|autobiography|biography|monograph|anthology|treatise|pamphlet|episode|soundtrack|recording)"
)
"""Nouns of finished works: one publication dates them whole."""

_YEAR = r"(?P<when>(?:1\d|20)\d\d)"
_EVENT = re.compile(rf"{_YEAR}(?:[–-]\d\d(?:\d\d)?)? [A-Za-z].*")
_END = re.compile(rf".*(?:,| of| in| Act) {_YEAR}|.* at the {_YEAR.replace('when', 'at')} [A-Z].*")
_WORK = re.compile(rf".* \({_YEAR} (?:\w+ )?{WORK}\)")
_DAY_OF_YEAR = re.compile(r"[A-Z][a-z]{2,8} [1-3]?\d")


def title_evidence(title: str) -> list[Evidence]:
    """What "1969", "1960s", "1968 Summer Olympics", "Civil Rights Act of 1964" and "Titanic (1997 film)" say.

    >>> title_evidence("1968 Summer Olympics")[0].first
    19680101
    """
    if match := _WORK.fullmatch(title):
        return [_evidence("publication", match["when"], 0.9, title)]
    spans = find_dates(title)
    if len(spans) == 1 and (spans[0].start, spans[0].end) == (0, len(title)) and not _DAY_OF_YEAR.fullmatch(title):
        interval = spans[0].interval
        return [Evidence(PERIOD, interval.first, interval.last, "lead", 0.95, f"title {title}")]
    match = _EVENT.fullmatch(title) or _END.fullmatch(title)
    year = match["when"] or match["at"] if match and match.re is _END else match["when"] if match else None
    return [_evidence("point", year, 0.8, title)] if year and spans else []


def _evidence(kind: str, when: str, confidence: float, title: str) -> Evidence:
    interval = Interval.of(int(when))
    return Evidence(kind, interval.first, interval.last, "lead", confidence, f"title {title}")

"""Infobox dates to evidence, by a table from parameter names to kinds of events; and what a title alone says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from deepred.base.days import Interval, year_of
from deepred.base.files import shipped_table
from deepred.dating.evidence import PERIOD, Evidence, begun
from deepred.text.dates.find import find_dates

KINDS: dict[str, str] = {
    name: kind
    for kind, names in shipped_table("deepred.dating", "infobox_dates.toml").items()
    for name in names.split()
}
"""Kinds of events by parameter name."""

_CONFIDENCE = {
    "birth": 0.9,
    "death": 0.9,
    "publication": 0.85,
    "start": 0.8,
    "end": 0.8,
    "discovery": 0.8,
    "point": 0.7,
}
_QUANTITY = re.compile(r"\d,\d{3}|\d\s?(?:km|m|kg|ft|people|inhabitants)\b")
_NUMBERED = re.compile(r"[_ -]{0,9}\d{1,9}$")

WORK = (
    r"(?:film|movie|novel|novella|book|album|song|single|play|opera|ballet|poem|musical|documentary|painting|sculpture|"
    r"short story|essay|video game|computer game|miniseries|EP|comedy|drama|thriller|western|cartoon|short|symphony|"
    r"concerto|"
    r"fable|tale|tragedy|farce|hymn|carol|ballad|sonata|cantata|oratorio|fresco|fairy tale|novelette|screenplay|"
    r"composition|memoir|autobiography|biography|monograph|anthology|treatise|pamphlet|episode|soundtrack|recording)"
)
"""Nouns of finished works: one publication dates them whole."""

_YEAR = r"(?P<when>(?:1\d|20)\d\d)"
_EVENT = re.compile(rf"{_YEAR}(?:[–-]\d\d(?:\d\d)?)? [A-Za-z].*")
_END = re.compile(
    rf".*(?:,| of| in| Act) {_YEAR}(?:[–-]\d\d(?:\d\d)?)?|.* at the {_YEAR.replace('when', 'at')} [A-Z].*"
)
_WORK = re.compile(rf".* \({_YEAR} (?:\w+ )?{WORK}\)")
_BUILT = re.compile(rf"(?:HMS|USS|SS|RMS|HMAS|HMCS|ORP|SMS|MV|INS) .* \({_YEAR}\)")
"""Ships of the same name are told apart by the year of their launch."""
_SHORT_YEAR = re.compile(r"\d{1,3}")
_CALLED_YEAR = re.compile(r"\s*(?:\d+\s*\n\s*)?(?:The )?[Yy]ear \d{1,3} ")
_DAY_OF_YEAR = re.compile(r"[A-Z][a-z]{2,8} [1-3]?\d")


def infobox_evidence(dates: Iterable[Mapping[str, Any]]) -> list[Evidence]:
    """The evidence of an article's infobox dates (``tables.article_schema``), in their order.

    >>> infobox_evidence([{"key": "birth date", "value": "3 May 1955", "first": 19550503, "last": 19550503}])[0].kind
    'birth'
    """
    found: list[Evidence] = []
    for row in dates:
        name = re.sub(r"[\s-]+", "_", str(row["key"]).strip().lower())
        kind = KINDS.get(name) or KINDS.get(_NUMBERED.sub("", name))
        interval = _interval(row) if kind else None
        if kind is None or interval is None:
            continue
        note = f"{row['key']} = {row['value']}"[:120]
        if kind in ("event", "start"):
            found.append(begun(kind, interval, "infobox", _CONFIDENCE.get(kind, 0.6), note))
            continue
        found.append(
            Evidence(kind, interval.first, interval.last, "infobox", _CONFIDENCE.get(kind, 0.6), note, kind != "birth")
        )
    return found


def _interval(row: Mapping[str, Any]) -> Interval | None:
    """The first date of a value, read as prose ("c. 1478", "5–8 June 1944"), else as the extraction read it."""
    value = str(row["value"] or "")
    stated = Interval(row["first"], row["last"]) if row["first"] is not None and row["last"] is not None else None
    if spans := find_dates(f"in {value}"):
        prose = spans[0].interval
        if stated and _narrows(stated, prose):
            return stated
        return prose
    return None if _QUANTITY.search(value) else stated


def _narrows(stated: Interval, prose: Interval) -> bool:
    """Whether the extraction knew more than a reader of English: a day in another language, or "1951 or 1952"."""
    one_year = year_of(prose.first) == year_of(prose.last)
    within = one_year and prose.first <= stated.first and stated.last <= prose.last
    return within or (stated.first == prose.first and year_of(stated.last) - year_of(prose.last) == 1)


def title_evidence(title: str, text: str = "") -> list[Evidence]:
    """What "1969", "1960s", "1968 Summer Olympics", "Civil Rights Act of 1964" and "Titanic (1997 film)" say.

    A number below 1000 is a year where the text calls it one.

    >>> title_evidence("1968 Summer Olympics")[0].first
    19680101
    """
    if match := _WORK.fullmatch(title):
        return [_evidence("publication", match["when"], 0.9, title)]
    if match := _BUILT.fullmatch(title):
        return [_evidence("start", match["when"], 0.8, title)]
    if _SHORT_YEAR.fullmatch(title) and _CALLED_YEAR.match(text):
        year = Interval.of(int(title))
        return [Evidence(PERIOD, year.first, year.last, "lead", 0.95, f"title {title}")]
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

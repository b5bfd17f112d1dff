"""Infoboxes: which template is one, and which of its parameters hold dates, as signed intervals.

The values come rendered (``{{birth date|1809|2|12}}`` is "February 12, 1809" by then), so one reader of plain dates
serves templates and hand-written text alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from deepred.base.days import MONTHS, Day, Interval, day, month_length
from deepred.sources.wiki.local_dates import in_english

MAX_VALUE = 300
"""Characters of a value that are kept; a date parameter with more holds prose or a list."""
SHORT_VALUE = 40
"""Characters of a value below which a month's name makes it a date, whatever its parameter is called."""
LAST_YEAR = 2100
ENGLISH = frozenset({"en", "simple"})
"""Languages of wikis in English."""

_BOX = re.compile(  # "box" in the languages whose templates are known, at the begin of a name or as a word of it
    r"infobox|taxobox|speciesbox|automatic taxobox|subspeciesbox|hybridbox|paleobox|geobox|chembox|drugbox|protein box"
    r"|starbox|planetbox|ficha|info/|tietolaatikko|faktamall|infokutija|infokaste|kotak info|bilgi kutusu|infopudełko"
    r"|infoskreine|personendaten|persondata|карточка|картка|.*\binfobox\b"
)
_DATE_KEY = re.compile(
    r"(?:^|_|\b)(?:dates?|years?|born|birth|died|death|founded|foundation|founding|established|establishment|opened|opening|closed|closing"
    r"|released?|launch(?:ed|_date)?|first|last|aired?|published|pub|publication|pub_date|formed|formation|formal|dissolved|dissolution|built|constructed"
    r"|construction|start(?:ed)?|begin|began|end(?:ed)?|active|period|terms?|reign|coronation|since|era|extinct(?:ion)?|discovered|introduced"
    r"|introduction|invented|completed|completion|commissioned|decommissioned|ordered|laid|inception|incorporated|abolished|defunct|premiere|recorded|filmed|debut|retired"
    r"|inaugurated|demolished|demolition|scrapped|sunk|unveiled|consecrated|canoni[sz]ed|accession|ended|spouse|event|settled|elected|appointed|created|signed|effective|ratified|term_start|term_end|date_?\d*|years?_?\d+)(?:$|_|\b|\d)",
    re.IGNORECASE,
)
_LOCAL_KEY = re.compile(
    r"\b(?:geboren|gestorben|geburtsdatum|sterbedatum|datum|jahr|gründung(?:sdatum)?|erscheinungsjahr"
    r"|naissance|décès|mort|année|fondation|création|sortie|nacimiento|fallecimiento|fecha|año|fundación|estreno"
    r"|дата|год|родился|родилась|умер|умерла|рождени[яе]|смерт[ьи]|основан[аоы]?"
    r"|nascita|morte|data|anno|nascimento|falecimento|ano|geboortedatum|overlijdensdatum|urodzenia|śmierci|född|död)\b",
    re.IGNORECASE,
)
_MONTH = "(" + "|".join((*MONTHS, *(f"{name[:3]}" for name in MONTHS), "sept")) + r")\.?"
_DATES = re.compile(
    rf"(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH.replace('(', '(?P<m1>', 1)},?\s+(?P<y1>\d{{1,4}})\b"
    rf"|{_MONTH.replace('(', '(?P<m2>', 1)}\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,\s*(?P<y2>\d{{1,4}})\b"
    rf"|{_MONTH.replace('(', '(?P<m3>', 1)},?\s+(?P<y3>\d{{3,4}})\b"
    r"|\b(?P<y4>\d{4})-(?P<m4>\d{2})-(?P<d4>\d{2})\b"
    r"|(?<![\d.,])\b(?P<y5>\d{3,4})\b(?![.,]\d)(?!\s*(?:km|kg|mi|m|ft|lb|people|members|employees)\b)"
    r"|\b(?P<y6>\d{1,4})(?=\s*(?:BCE|BC|AD|CE)\b)",
    re.IGNORECASE,
)
_MONTH_NAME = re.compile("|".join(MONTHS), re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_ERA = re.compile(r"\s*(BCE|BC|B\.C\.)", re.IGNORECASE)
_ERA_AHEAD = re.compile(r"\s*(?:[-–—]|to)\s*\d{1,4}\s*(?:BCE|BC|B\.C\.)", re.IGNORECASE)  # 1792–1750 BC
_RANGE = re.compile(r"\s{0,3}(?:[-–—/]|to|until|through|or)\s{0,3}$", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"(?:[-–—]|/)(\d{2})\b(?![-/\d])")


class InfoboxDate(NamedTuple):
    """A date-like parameter: its key, its rendered value, and the interval that it states (None if unclear)."""

    key: str
    value: str
    first: Day | None
    last: Day | None


def is_infobox(name: str) -> bool:
    """Whether a template of this name (lower case) is an infobox: ``is_infobox("infobox person")``."""
    return _BOX.match(name) is not None


def find_dates(
    parameters: Iterable[str], render: Callable[[str], str] = str, language: str = "en"
) -> list[InfoboxDate]:
    """The dated parameters among ``key = value`` texts; ``render`` makes a value plain, where it may hold a date.

    ``language`` is the wiki's, whose names of months are known beside the English ones (``local_dates.toml``).

    >>> find_dates(["name = Ada", "birth_date = 10 December 1815"])
    [InfoboxDate(key='birth_date', value='10 December 1815', first=18151210, last=18151210)]
    """
    found: list[InfoboxDate] = []
    is_local = language not in ENGLISH
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals or not _DIGIT.search(value):
            continue
        key = key.strip()
        named = names_date(key, language)
        if not key or not (named or _MONTH_NAME.search(in_english(value, language) if is_local else value)):
            continue
        value = " ".join(render(value).split())
        if len(value) > MAX_VALUE or not _DIGIT.search(value):
            continue
        english = in_english(value, language) if is_local else value
        interval = read_date(english)
        if named or (interval is not None and _MONTH_NAME.search(english) and len(value) < SHORT_VALUE):
            found.append(
                InfoboxDate(key, value, interval.first if interval else None, interval.last if interval else None)
            )
    return found


@lru_cache(maxsize=10_000)
def names_date(key: str, language: str = "en") -> bool:
    """Whether a parameter of this name holds a date: ``names_date("birth_date")``, ``names_date("décès", "fr")``."""
    if _DATE_KEY.search(key) is not None:
        return True
    return language not in ENGLISH and _LOCAL_KEY.search(key) is not None


def read_date(value: str) -> Interval | None:
    """The interval that a short text states: its first date, to the date after a dash; None where there is none.

    >>> read_date("12 February 1809")
    Interval(first=18090212, last=18090212)
    >>> read_date("1939–1945")
    Interval(first=19390101, last=19451231)
    """
    matches = list(_DATES.finditer(value))
    if not matches:
        return None
    first = _interval(matches[0], value)
    if first is None:
        return None
    if len(matches) > 1 and _RANGE.search(value[matches[0].end() : matches[1].start()] or " "):
        second = _interval(matches[1], value)
        if second is not None and second.last >= first.first:
            return Interval(first.first, second.last)
    short = _SHORT_YEAR.match(value, matches[0].end())
    if short and matches[0]["y5"]:
        year = first.first // 10000 // 100 * 100 + int(short[1])
        if year * 10000 > first.first:
            return Interval(first.first, day(year, 12, 31))
    return first


def _interval(match: re.Match[str], value: str) -> Interval | None:
    for number in "123456":
        year = match[f"y{number}"]
        if year is None:
            continue
        name = match[f"m{number}"] if number in "1234" else None
        date = match[f"d{number}"] if number in "124" else None
        month = None if name is None else int(name) if name.isdigit() else _month(name)
        signed = int(year)
        if (
            _ERA.match(value, match.end())
            or _ERA_AHEAD.match(value, match.end())
            or (len(year) < 4 and re.search(r"\bBCE?\b", value[match.end() :]))
        ):
            signed = 1 - signed
        if signed > LAST_YEAR or month == 0 or (month or 1) > 12:
            return None
        if date is not None and month is not None and not 1 <= int(date) <= month_length(signed, month):
            return Interval.of(signed, month)
        return Interval.of(signed, month, int(date) if date else None)
    return None


def _month(name: str) -> int:
    """The number of a month by its name or abbreviation: ``_month("Sept") == 9``."""
    return next(i for i, full in enumerate(MONTHS, 1) if full.startswith(name[:3].capitalize()))

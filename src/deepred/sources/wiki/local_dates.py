"""Dates as a wiki's language writes them, by ``local_dates.toml``: from numbers to words, and from words to English."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from deepred.base.days import MONTHS
from deepred.base.files import shipped_table

_TABLE: dict[str, dict[str, Any]] = shipped_table("deepred.sources.wiki", "local_dates.toml")
ENGLISH_MONTHS = tuple(name.capitalize() for name in MONTHS)


def write_date(year: str, month: str, day: str, language: str = "en", *, day_first: bool = True) -> str:
    """A date in words; a part that is empty is left out, a year that begins with "-" is one before Christ.

    Months may be numbers or names in the language or in English; what is neither stays as it is.

    >>> write_date("1969", "7", "20"), write_date("-44", "03", "", day_first=False)
    ('20 July 1969', 'March 44 BC')
    >>> write_date("1969", "juillet", "1", "fr")
    '1er juillet 1969'
    """
    form = _TABLE.get(language, {})
    if year.lstrip("-").isdecimal():
        era = f" {form.get('before_christ', 'BC')}" if year.startswith("-") else ""
        year = year.strip("-").lstrip("0") + era
    day = day.lstrip("0") if day.isdecimal() else day
    if not month:
        return year
    month = month_name(month, language, alone=not day)
    if not form and day and year and not day_first:
        return f"{month} {day}, {year}"
    shown = {"d": form.get("first", day) if day == "1" else day, "m": month, "y": year}
    pattern = form.get("day", "$d $m $y") if day else form.get("month", "$m $y")
    if not year:  # the pattern up to its month
        pattern = pattern[: pattern.index("$m") + 2]
        pattern = "$m $d" if not form and not day_first and day else pattern
    return re.sub(r"\$(\w)", lambda match: shown[match[1]], pattern).strip()


def month_name(month: str, language: str = "en", *, alone: bool = False) -> str:
    """A month's name in a language: ``month_name("07", "de") == "Juli"``; what is no month stays as it is."""
    number = month_number(month, language)
    if not number:
        return month
    form = _TABLE.get(language)
    if form is None:
        return ENGLISH_MONTHS[number - 1]
    return form["alone" if alone and "alone" in form else "months"][number - 1]


def month_number(month: str, language: str = "en") -> int:
    """1 to 12 for a number or for a name in the language or in English, short forms too; 0 for what is no month.

    >>> month_number("07"), month_number("Sept."), month_number("июля", "ru"), month_number("13")
    (7, 9, 7, 0)
    """
    if month.isdecimal():
        return int(month) if len(month) < 3 and 1 <= int(month) <= 12 else 0
    name = month.strip(" .").lower()
    if len(name) < 3:
        return 0
    return _numbers(language).get(name, 0) or next(
        (number for number, full in enumerate(MONTHS, 1) if full.lower().startswith(name)), 9 * (name == "sept")
    )


@cache
def _numbers(language: str) -> dict[str, int]:
    form = _TABLE.get(language, {})
    names = (form.get("months", ()), form.get("alone", ()))
    return {name.lower(): number for months in names for number, name in enumerate(months, 1)}


@cache
def _local_date(language: str) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _numbers(language)), key=len, reverse=True))
    day = r"(?:\b(?P<d>\d{1,2})(?:\.|er|º|ª|°)?\s+(?:de\s+)?)?"
    return re.compile(rf"{day}\b(?P<m>{names})\b\.?\s+(?:del?\s+)?(?P<y>\d{{1,4}})\b", re.IGNORECASE)


def in_english(value: str, language: str) -> str:
    """The value with the language's dates as English writes them, for a reader who knows those.

    >>> in_english("1er juillet 1969 à Paris", "fr"), in_english("44 v. Chr.", "de")
    ('1 July 1969 à Paris', '44 BC')
    """
    form = _TABLE.get(language)
    if form is None:
        return value
    value = value.replace("\xa0", " ").replace(form["before_christ"], "BC")
    numbers = _numbers(language)
    return _local_date(language).sub(
        lambda match: f"{match['d'] or ''} {ENGLISH_MONTHS[numbers[match['m'].lower()] - 1]} {match['y']}".strip(),
        value,
    )

"""Days that are written with numbers: "16/03/2020", "2020-03-16", "3/4/05", "20200316", "16.III.2020", "1969 July 20".

Where day and month cannot be told apart, the interval covers both readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from deepred.base.days import Interval, day, month_length
from deepred.text.dates.decades import short_year
from deepred.text.dates.not_dates import is_false_friend, stands_after_name
from deepred.text.dates.parts import MONTH, Expression, Precision, Prefix, month_number

_MAY_BE = re.compile(r"\d{1,4}(?:[/.-]\s?[\dA-Zivx]|\s(?:[A-Z])|\d{4}(?!\d))")
"""What most numbers are not, looked at first."""
_END = r"(?![-.]?\d|/\d(?!\d{3}-\d\d-)|\s?[%°′])"
_YEAR_LAST = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<mark>[/.-]|\.\s)(?P<b>\d{{1,2}})(?P=mark)(?P<year>[12]\d{{3}}|['’]?\d\d){_END}"
)
_YEAR_FIRST = re.compile(rf"(?P<year>[12]\d{{3}})(?P<mark>[/.-])(?P<a>\d{{1,2}})(?P=mark)(?P<b>\d{{1,2}}){_END}")
_COMPACT = re.compile(r"(?P<year>1[5-9]\d\d|20\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)")
_YEAR_MONTH = re.compile(rf"(?P<year>[12]\d{{3}})-(?P<month>0[1-9]|1[0-2]){_END}")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ROMAN_MONTH = re.compile(
    rf"(?P<day>\d{{1,2}})(?:(?P<mark>[./-]\s?)(?P<month>[IVX]{{1,4}}|[ivx]{{1,4}})(?P=mark)|\s(?P<apart>[IVX]{{1,4}})\s)"
    rf"(?P<year>[12]\d{{3}}){_END}"
)
_YEAR_MONTH_DAY = re.compile(
    rf"(?P<year>[12]\d{{3}})(?P<mark>[\s-])(?P<month>{MONTH})(?P=mark)(?P<day>\d{{1,2}}){_END}"
)
_SHORT_NAMED = re.compile(rf"(?P<day>\d{{1,2}})(?P<mark>[/-])(?P<month>{MONTH})(?P=mark)(?P<year>\d\d)(?![\w/-])")
_YEAR_AGAIN = re.compile(r"(?:st|nd|rd|th)?,?\s\d{4}")
_HYPHENED = re.compile(rf"(?P<day>\d{{1,2}})(?P<mark>[/-])(?P<year>[12]\d{{3}}){_END}")
_CONTINUED = re.compile(r"\d[-.]\Z")
_LEAD = re.compile(
    r"(?:\b(?:on|dated?|since|until|till|by|from|to|before|after|born|died|opened|released|published|issued|signed|founded|at|in"
    r"|of|and|is|was)\s|[(–]\s?|[:|]\s)\Z",
    re.IGNORECASE,
)
_STRICT_LEAD = re.compile(r"\b(?:on|dated?|since|until|born|died|opened|released)\s\Z", re.IGNORECASE)
_LISTED = re.compile(r"\b(?!(?:was|is|has|this)\s)[a-z]{3,}s\s\Z")


def read_numeric(text: str, prefix: Prefix) -> Expression | None:
    """The day written with numbers that begins at a number; None for versions, addresses, scores and identifiers."""
    start = prefix.number
    if _MAY_BE.match(text, start) is None:
        return None
    if prefix.month:
        return _after_month(text, prefix)
    if prefix.start != start and not prefix.circa:
        return None
    if found := _year_first(text, start):
        return None if _CONTINUED.search(text, max(0, start - 2), start) else found
    found = _year_last(text, start) or _compact(text, start) or _roman(text, start) or _short_named(text, start)
    led = start > 0 and text[start - 1] in "–—="  # 16/3/2019–18/3/2020; date=16.3.2019
    return None if found is None or (stands_after_name(text, start) and not led) else found


def read_year_month(text: str, prefix: Prefix) -> Expression | None:
    """2013-07, where it can be no range of years ("1998-02")."""
    match = _YEAR_MONTH.match(text, prefix.number)
    if match is None or prefix.start != prefix.number:
        return None
    return Expression(match.end(), Interval.of(int(match["year"]), int(match["month"])), Precision.MONTH, bare=True)


def _days(end: int, year: int, days: Iterable[tuple[int, int]]) -> Expression | None:
    """What covers all (month, day) of a year that exist; None where there is none."""
    possible = sorted(
        {
            day(year, month, number)
            for month, number in days
            if 1 <= month <= 12 and 1 <= number <= month_length(year, month)
        }
    )
    if not possible:
        return None
    precision = Precision.DAY if len(possible) == 1 else Precision.YEAR
    return Expression(end, Interval(possible[0], possible[-1]), precision)


def _year_last(text: str, start: int) -> Expression | None:
    """16/03/2020, 03/16/2020, 3/4/05, 16.3.98."""
    match = _YEAR_LAST.match(text, start)
    if match is None:
        return None
    digits = match["year"].lstrip("'’")
    if len(digits) == 2 and not _is_short_date(text, match):
        return None
    year = short_year(digits, text, start) if len(digits) == 2 else int(digits)
    one, other = int(match["a"]), int(match["b"])
    return _days(match.end(), year, [(one, other), (other, one)])


def _is_short_date(text: str, match: re.Match[str]) -> bool:
    """Whether three short numbers are a date: with slashes unless they are counted, else after a word that dates."""
    before = text[max(0, match.start() - 16) : match.start()]
    if match["mark"] != "/":
        return bool(_STRICT_LEAD.search(before))
    return not _LISTED.search(before) and not is_false_friend(text, match.start(), match.end())


def _year_first(text: str, start: int) -> Expression | None:
    """2020-03-16, 2020/3/16, 2020.03.16, 2020-Mar-16, 1969 July 20."""
    if match := _YEAR_MONTH_DAY.match(text, start):
        if match["mark"] != "-" and _YEAR_AGAIN.match(text, match.end()):
            return None  # in 1969 July 20, 1970 was far away
        return _days(match.end(), int(match["year"]), [(month_number(match["month"]), int(match["day"]))])
    match = _YEAR_FIRST.match(text, start)
    if match is None:
        return None
    year, one, other = int(match["year"]), int(match["a"]), int(match["b"])
    if match["mark"] == "." and not (len(match["a"]) == len(match["b"]) == 2):
        return None  # 2019.3.1 is a version
    return _days(match.end(), year, [(one, other)]) or _days(match.end(), year, [(other, one)])


def _compact(text: str, start: int) -> Expression | None:
    """20200316, after a word that dates."""
    match = _COMPACT.match(text, start)
    if match is None or not _LEAD.search(text, max(0, start - 12), start):
        return None
    if is_false_friend(text, start, match.end()) and text[match.end() : match.end() + 1] != "T":
        return None
    return _days(match.end(), int(match["year"]), [(int(match["month"]), int(match["day"]))])


def _roman(text: str, start: int) -> Expression | None:
    """16.III.2020, 16-iii-2020, 16 III 2020."""
    match = _ROMAN_MONTH.match(text, start)
    if match is None or (name := (match["month"] or match["apart"]).lower()) not in _ROMAN:
        return None
    return _days(match.end(), int(match["year"]), [(_ROMAN.index(name) + 1, int(match["day"]))])


def _short_named(text: str, start: int) -> Expression | None:
    """16-Mar-98."""
    match = _SHORT_NAMED.match(text, start)
    if match is None:
        return None
    when = (month_number(match["month"]), int(match["day"]))
    return _days(match.end(), short_year(match["year"], text, start), [when])


def _after_month(text: str, prefix: Prefix) -> Expression | None:
    """Mar-16-2020, Mar/16/2020."""
    match = _HYPHENED.match(text, prefix.number)
    if match is None or text[prefix.number - 1] != match["mark"]:
        return None
    return _days(match.end(), int(match["year"]), [(prefix.month, int(match["day"]))])

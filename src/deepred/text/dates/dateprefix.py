"""What stands before a number and belongs to its date: "c.", "late", "summer of", "December", "AD", an apostrophe."""

from __future__ import annotations

import re

from deepred.base.days import MONTHS
from deepred.text.dates.parts import CIRCA, DASH, HALF, MONTH, PART, Prefix, month_number

REACH = 48
"""Characters before a number in which its prefix begins."""

_PREFIX = re.compile(
    rf"(?:(?P<circa>\b(?i:{CIRCA})(?:\s(?:c(?:a|irca)?\.|circa))?)\s?(?:the\s+)?)?"
    rf"(?:(?P<part>\b(?i:{PART}|{HALF}))(?:(?:-?\s?|\s)to[\s-]+(?P<part2>mid|late))?(?:-|–|\s+)(?:the\s+)?)?"
    r"(?:(?P<season>\b(?:[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter))(?:\s+of|,)?\s+)?"
    r"(?:\bQ(?P<quarter>[1-4]),?\s(?:of\s)?)?"
    rf"(?:(?:(?P<month1>\b{MONTH})(?:\s?{DASH}\s?|/|\s+(?:and|to|or|through|until)\s+))?"
    rf"(?P<month>\b{MONTH}),?(?:\s+|-)(?:of\s+)?)?"
    r"(?:(?P<ad>\bA\.?\s?D\.?)\s?)?(?P<apostrophe>['’‘])?"
)
_WORDS = """
jan feb mar apr jun jul aug sep sept oct nov dec early mid late of the c ca circa approx approximately about around
perhaps probably possibly fl floruit flourished ad d a.d to spring summer autumn fall winter q1 q2 q3 q4
"""
_LAST_WORDS = frozenset([*_WORDS.split(), *(name.lower() for name in MONTHS)])
_START = re.compile(
    rf"\b(?:(?i:{CIRCA}|very|early|mid|late|beginning|start|end|close|turn|first|1st|second|2nd|third|fourth|latter|last"
    rf"|final|closing|opening|spring|summer|autumn|fall|winter)|Q[1-4]|{MONTH}|A\.?\s?D)|['’‘]"
)
_AROUND = " \n\t\u00a0'’‘–—-"
_YEAR_ALONE = re.compile(r"\d{4}(?![\d'’s–-])")
_TIED = re.compile(r"(?<![A-Za-z0-9])(?:[cCbdr]\.?|fl\.|FY|ca\.)\Z")
"""What may touch a number: c.1890, b.1950, FY1968."""


def may_start(text: str, start: int) -> bool:
    """Whether a number is no tail of a word ("B52") or of a longer number ("1,980", "3.1415")."""
    before = text[start - 1] if start else " "
    if before.isalnum() or before in "._":
        return bool(_TIED.search(text[max(0, start - 4) : start]))
    return not (before == "," and text[max(0, start - 2)].isdigit())


def read_prefix(text: str, low: int, number: int) -> Prefix:
    """The modifiers, months and era before the number at ``number``, not reaching below ``low``."""
    begin = max(low, number - REACH)
    window = text[begin:number]
    word = window.rstrip(_AROUND).rpartition(" ")[2].rpartition("\n")[2].lower()
    word = (
        word.strip("([.,;")
        .rpartition("-")[2]
        .rpartition("/")[2]
        .rpartition("–")[2]
        .rpartition("—")[2]
        .rpartition("(")[2]
    )
    if window.endswith(" the ") and _YEAR_ALONE.match(text, number):
        return Prefix(number, number)  # the end of the 2002 season: no end of 2002
    if word in _LAST_WORDS:
        for start in _START.finditer(text, begin, number):
            if match := _PREFIX.fullmatch(text, start.start(), number):
                return _prefix(match)
    if window[-1:] in ("'", "’", "‘"):
        return Prefix(number - 1, number, apostrophe=True)
    return Prefix(number, number)


def prefix_at(text: str, start: int) -> Prefix:
    """The prefix that begins at a place, before the number that it ends at."""
    match = _PREFIX.match(text, start)
    return _prefix(match) if match else Prefix(start, start)


def _prefix(match: re.Match[str]) -> Prefix:
    month = month_number(match["month"])
    return Prefix(
        start=match.start(),
        number=match.end(),
        circa=bool(match["circa"]),
        part=(match["part"] or "").lower(),
        part_end=(match["part2"] or "").lower(),
        season=(match["season"] or "").lower(),
        quarter=int(match["quarter"] or 0),
        month=month_number(match["month1"]) or month,
        month_end=month,
        ad=bool(match["ad"]),
        apostrophe=bool(match["apostrophe"]),
    )

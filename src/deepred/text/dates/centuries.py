"""Centuries and millennia: which years they are, how they are written with digits, and when they are cricket."""

from __future__ import annotations

import re

from deepred.base.days import Interval, day
from deepred.text.dates.narrowing import narrow
from deepred.text.dates.parts import DASH, ERA, Expression, Precision, Prefix

LATEST_CENTURY = 21

_PARTS = r"(?:the\s+)?(?:(?P<part>(?i:early|mid|late))[\s-])?"
_NTH = r"\d{1,2}(?i:st|nd|rd|th)"
_CENTURY = re.compile(
    rf"(?P<first>\d{{1,2}})(?i:st|nd|rd|th)?(?:(?:,\s{_NTH}){{0,4}}"
    rf"(?:-?\s?{DASH}\s?|/|-?,?\s+(?:to|and|or|through|until)\s+){_PARTS}(?P<last>\d{{1,2}})(?i:st|nd|rd|th))?"
    rf"(?<=[tdhTDH])(?P<link>\s+|{DASH})(?P<unit>(?i:centur(?:y|ies)|millenni(?:um|a))|c(?:ent)?\.(?!\s?\d))"
    rf"(?![A-Za-z]|\s(?:Fox|Studios|Pictures|Limited)\b){ERA}?"
)
_OWNER = re.compile(r"(?:\b(?i:his|her|my|an?|another)\s+|(?P<never>\b[Mm]aiden\s+|[$£€#]))\Z")
_NOUN = re.compile(
    r"\s(?!(?:of|in|at|on|for|from|off|with|without|and|but|or|as|to|when|while|since|during|by|after|before|against|then|"
    r"this|that|which|who|came|was|is|were|are|had|has|he|she|they|it|the|a|an|only|just|also|there|under|over)\b)[A-Za-z]"
)
"""What a century describes: "a 19th century house", but not "his 19th century at Lord's"."""


def read_century(text: str, prefix: Prefix) -> Expression | None:
    """19th century; the late 18th and early 19th centuries; a 2nd/3rd-century AD coin; 3rd millennium BC."""
    match = _CENTURY.match(text, prefix.number)
    if match is None or is_score(text, prefix, match.end(), hyphened=not match["link"].isspace()):
        return None
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if match["part"]:
        prefix = Prefix(prefix.start, prefix.number, part=prefix.part, part_end=match["part"].lower())
    elif match["last"]:
        prefix = Prefix(prefix.start, prefix.number, circa=prefix.circa, part=prefix.part)
    return centuries(match.end(), first, last, match["unit"], match["era"], prefix)


def is_score(text: str, prefix: Prefix, end: int, *, hyphened: bool) -> bool:
    """Whether a "19th century" is a hundred runs: it has an owner, no modifier, and describes nothing."""
    owner = _OWNER.search(text, max(0, prefix.start - 10), prefix.start)
    if owner is None:
        return False
    return bool(owner["never"]) or not (hyphened or prefix.part or _NOUN.match(text, end))


def centuries(end: int, first: int, last: int, unit: str, era: str | None, prefix: Prefix) -> Expression | None:
    """The expression of the first to the last century or millennium; None for one that lies in no text's past.

    The prefix narrows the first; where ``part_end`` stands it narrows the last ("late 18th and early 19th centuries").
    """
    size, precision = (100, Precision.CENTURY) if unit[0] in "cC" else (1000, Precision.MILLENNIUM)
    before_christ = bool(era and era[0] == "B")
    if (not before_christ and max(first, last) > LATEST_CENTURY) or not first or not last:
        return None
    begin, stop = (nth(number, size, before_christ) for number in (first, last))
    if first == last:
        begin = stop = narrow(begin, prefix)
    else:
        begin = narrow(begin, Prefix(0, 0, part=prefix.part))
        stop = narrow(stop, Prefix(0, 0, part=prefix.part_end))
    low, high = min(begin[0], stop[0]), max(begin[1], stop[1])
    return Expression(end, Interval(day(low), day(high, 12, 31)), precision, prefix.vague or bool(prefix.part_end))


def nth(number: int, size: int, before_christ: bool) -> tuple[int, int]:
    """First and last year of the nth century or millennium: the 19th century is 1801-1900."""
    if before_christ:
        return 1 - number * size, -(number - 1) * size
    return (number - 1) * size + 1, number * size

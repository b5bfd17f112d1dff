"""Dates that are written without digits: "the late nineteenth century", "the swinging sixties"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.base.days import Interval, day
from deepred.text.dates.parts import ERA, HALF, OWNED, PART, DateSpan, Precision, Prefix, centuries, narrow

_ORDINAL_WORDS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first
"""
_ORDINALS = _ORDINAL_WORDS.split()
_ORDINAL_NUMBER = {word: number for number, word in enumerate(_ORDINALS, 1)}
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_SPELLED_CENTURY = re.compile(
    rf"(?:(?P<part>\b(?:{PART}|{HALF}))(?:-|\s+)(?:the\s+)?)?\b(?P<first>{_ORDINAL})"
    rf"(?:(?:-|–|\s+(?:to|and|or)\s+(?:the\s+)?(?:early\s+|late\s+|mid-)?)"
    rf"(?P<last>{_ORDINAL}))?"
    r"(?:\s+|-)(?P<unit>centur(?:y|ies)|millenni(?:um|a))(?![a-z]|\s(?:Fox|Pictures|Studios))"
    rf"(?P<owned>\s+of\b(?!\s+(?:the\s+(?:Christian|Common)|our|Islam|A\.?D|C\.?E)))?{ERA}?",
    re.IGNORECASE,
)
_TENS_WORDS = "twenties thirties forties fifties sixties seventies eighties nineties"
_TENS = {word: 10 * number for number, word in enumerate(_TENS_WORDS.split(), 2)}
_SPELLED_DECADE = re.compile(
    r"(?:(?<=\b[Tt]he\s)(?P<when>(?:(?P<part>early|mid|late)(?:-|\s+)(?:to[- ](?P<part2>mid|late)[\s-]+)?)?"
    r"(?:(?i:swinging|roaring|dirty|hungry|turbulent|nineteen)[\s-]+)?)"
    rf"|\b(?i:nineteen)[\s-])(?P<word>(?i:{'|'.join(_TENS)}))\b"
)
_MEASURED = re.compile(r"\b(?:temperature|degree|age|high|low|Fahrenheit)\w*\b[^.;]*\Z", re.IGNORECASE)
"""What "the sixties" measure where they are no decade."""
_TURN = re.compile(r"\b[Tt]urn[ -]of[ -]the[ -](?P<of>century|millennium)\b")
_TURNS = {"century": (1891, 1910), "millennium": (1996, 2005)}
"""Without a number an encyclopedia means the turn to the 20th century, and to the third millennium."""
_CENTURY_REACH = 60
"""Characters around the word "century" within which its expression stands."""
_DECADE_REACH = 40
"""Characters before the end of "sixties" within which its expression begins."""


def spelled_dates(text: str) -> Iterator[DateSpan]:
    """The dates written without digits: "the late nineteenth century", "the swinging sixties"."""
    position = 0
    for word in ("entur", "illenni"):
        for place in _places(text, word):
            low = max(position if word == "entur" else 0, place - _CENTURY_REACH)
            for match in _SPELLED_CENTURY.finditer(text, low, place + _CENTURY_REACH):
                if match.start("unit") == place - 1 and (span := _spelled_century(text, match)):
                    yield span
                    position = match.end()
    for place in _places(text, "ties"):
        match = _SPELLED_DECADE.search(text, max(0, place - _DECADE_REACH), place + 4)
        if match is None or match.end() != place + 4:
            continue
        if not _MEASURED.search(text, max(0, place - _CENTURY_REACH), match.start()):
            yield _spelled_decade(match)
    for place in _places(text, "urn"):
        if match := _TURN.match(text, max(0, place - 1)):
            low, high = _TURNS[match["of"]]
            yield DateSpan(match.start(), match.end(), Interval(day(low), day(high, 12, 31)), Precision.CENTURY, True)


def _places(text: str, part: str) -> Iterator[int]:
    """Where a part of a word stands: much faster than a regular expression that begins with a choice."""
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _spelled_century(text: str, match: re.Match[str]) -> DateSpan | None:
    if match["owned"] and match["first"].lower() in ("first", "second", "third"):
        return None  # the first century of its existence
    if OWNED.search(text[max(0, match.start() - 10) : match.start()]):
        return None
    prefix = Prefix(match.start(), match.start("first"), part=(match["part"] or "").lower())
    first = _ORDINAL_NUMBER[match["first"].lower()]
    last = _ORDINAL_NUMBER[(match["last"] or match["first"]).lower()]
    end = match.start("owned") if match["owned"] else match.end()
    found = centuries(end, first, last, match["unit"], match["era"], prefix)
    return DateSpan(match.start(), found.end, found.interval, found.precision, found.approximate) if found else None


def _spelled_decade(match: re.Match[str]) -> DateSpan:
    low = 1900 + _TENS[match["word"].lower()]
    prefix = Prefix(match.start(), match.start("word"), part=match["part"] or "", part_end=match["part2"] or "")
    years = narrow((low, low + 9), prefix)
    return DateSpan(match.start(), match.end(), Interval(day(years[0]), day(years[1], 12, 31)), Precision.DECADE, True)

"""Dates that are written without digits: "the late nineteenth century", "the swinging sixties"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.dating.dateparts import ERA, HALF, OWNED, PART, DateSpan, Precision, Prefix, centuries, narrow
from deepred.documents import Interval, day

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
    r"(?:\b[Tt]he\s+(?:(?P<part>early|mid|late)(?:-|\s+)(?:to[- ](?P<part2>mid|late)[\s-]+)?)?"
    r"(?:(?i:swinging|roaring|dirty|hungry|turbulent|nineteen)[\s-]+)?"
    rf"|\b(?i:nineteen)[\s-])(?P<word>(?i:{'|'.join(_TENS)}))\b"
)


_CENTURY_REACH = 60


def spelled_dates(text: str) -> Iterator[DateSpan]:
    """The dates written without digits: "the late nineteenth century", "the swinging sixties"."""
    position = 0
    for word in ("entur", "illenni"):
        place = text.find(word)
        while place >= 0:
            low = max(position if word == "entur" else 0, place - _CENTURY_REACH)
            for match in _SPELLED_CENTURY.finditer(text, low, place + _CENTURY_REACH):
                if match.start("unit") == place - 1 and (span := _spelled_century(text, match)):
                    yield span
                    position = match.end()
            place = text.find(word, place + 1)
    if "ties" in text:
        yield from map(_spelled_decade, _SPELLED_DECADE.finditer(text))


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
    years = narrow((low, low + 9), prefix) if prefix.part else (low, low + 9)
    return DateSpan(match.start(), match.end(), Interval(day(years[0]), day(years[1], 12, 31)), Precision.DECADE, True)

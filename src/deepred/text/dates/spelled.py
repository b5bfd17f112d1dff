"""Dates that are written without digits: "the late nineteenth century", "the sixties", "nineteen sixty-nine"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.base.days import Interval, day
from deepred.text.dates.centuries import centuries, is_score
from deepred.text.dates.measured_tens import TENS_WORD, is_measure
from deepred.text.dates.narrowing import narrow
from deepred.text.dates.ordinals import ORDINAL, ORDINALS, ordinal
from deepred.text.dates.parts import ERA, HALF, PART, DateSpan, Precision, Prefix
from deepred.text.dates.spelled_years import spelled_years

_SPELLED_CENTURY = re.compile(
    rf"(?:(?P<part>\b(?:{PART}|{HALF}))(?:-|\s+)(?:the\s+)?)?\b(?P<first>{ORDINAL})"
    rf"(?:(?:,\s{ORDINAL}){{0,4}}(?:-|–|/|-?,?\s+(?:to|and|or|through)\s+)(?:the\s+)?(?:(?P<part2>early|mid|late)[\s-]+)?"
    rf"(?P<last>{ORDINAL}))?"
    r"(?P<link>\s+|-)(?P<unit>centur(?:y|ies)|millenni(?:um|a))(?![a-z]|\s(?:Fox|Pictures|Studios))"
    rf"(?P<owned>\s+of\b(?!\s+(?:the\s+(?:Christian|Common)|our|Islam|A\.?D|C\.?E)))?{ERA}?",
    re.IGNORECASE,
)
_ORDINALS = tuple(ORDINALS)
_TENS_WORDS = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
_TENS = {word: 10 * number for number, word in enumerate(_TENS_WORDS, 2)}
_LONGEST_WORD = 16
_CENTURIES = {"seventeen": 1700, "eighteen": 1800, "nineteen": 1900}
_SPELLED_DECADE = re.compile(
    r"(?:(?:(?<=\b[Tt]he\s)|(?<=ties\sand\s)|(?<=ties\sor\s)|(?<=ties\sto\s)|(?<=ties,\s)|(?<=ties[–-]))"
    r"(?P<when>(?:(?P<part>early|mid|late)(?:-|\s+)(?:to[- ](?P<part2>mid|late)[\s-]+)?)?"
    r"(?:(?i:swinging|roaring|dirty|hungry|turbulent)[\s-]+)?(?:(?P<century>(?i:seventeen|eighteen|nineteen))[\s-])?)"
    rf"|\b(?P<alone>(?i:seventeen|eighteen|nineteen))[\s-])(?P<word>(?i:{TENS_WORD}))\b"
)
_TURN = re.compile(r"\b[Tt]urn[ -]of[ -]the[ -](?P<of>century|millennium)\b")
_TURNS = {"century": (1891, 1910), "millennium": (1996, 2005)}
"""Without a number an encyclopedia means the turn to the 20th century, and to the third millennium."""
_CENTURY_REACH = 80
"""Characters around the word "century" within which its expression stands."""
_DECADE_REACH = 48
"""Characters before the end of "sixties" within which its expression begins."""


def spelled_dates(text: str) -> Iterator[DateSpan]:
    """The dates written without digits: "the late nineteenth century", "the sixties", "nineteen sixty-nine"."""
    yield from spelled_years(text)
    for word in ("entur", "ENTUR", "illenni"):
        position = 0
        for place in _places(text, word):
            if not text[max(0, place - _LONGEST_WORD) : place - 1].rstrip(" -\n\u00a0").lower().endswith(_ORDINALS):
                continue
            low = max(position, place - _CENTURY_REACH)
            for match in _SPELLED_CENTURY.finditer(text, low, place + _CENTURY_REACH):
                if match.start("unit") == place - 1 and (span := _spelled_century(text, match)):
                    yield span
                    position = match.end()
    for place in _places(text, "ties"):
        end = place + len("ties")
        if not text[max(0, end - _LONGEST_WORD) : end].lower().endswith(_TENS_WORDS):
            continue
        match = _decade_ending_at(text, end)
        if match is None:
            continue
        span = _spelled_decade(match)
        if not is_measure(text, span.start, span.end):
            yield span
    for place in _places(text, "urn"):
        if match := _TURN.match(text, max(0, place - 1)):
            low, high = _TURNS[match["of"]]
            yield DateSpan(match.start(), match.end(), Interval(day(low), day(high, 12, 31)), Precision.CENTURY, True)


def _decade_ending_at(text: str, end: int) -> re.Match[str] | None:
    """The spelled decade whose word ends there."""
    matches = _SPELLED_DECADE.finditer(text, max(0, end - _DECADE_REACH), end)
    return next((match for match in matches if match.end() == end), None)


def _places(text: str, part: str) -> Iterator[int]:
    """Where a part of a word stands: much faster than a regular expression that begins with a choice."""
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _spelled_century(text: str, match: re.Match[str]) -> DateSpan | None:
    if match["owned"] and match["first"].lower() in ("first", "second", "third"):
        return None  # the first century of its existence
    prefix = Prefix(
        match.start(),
        match.start("first"),
        part=(match["part"] or "").lower(),
        part_end=(match["part2"] or "").lower(),
    )
    if is_score(text, prefix, match.end("unit"), hyphened=not match["link"].isspace()):
        return None
    first, last = ordinal(match["first"]), ordinal(match["last"] or match["first"])
    end = match.start("owned") if match["owned"] else match.end()
    found = centuries(end, first, last, match["unit"], match["era"], prefix)
    return DateSpan(match.start(), found.end, found.interval, found.precision, found.approximate) if found else None


def _spelled_decade(match: re.Match[str]) -> DateSpan:
    start = match.start("when") if match["alone"] is None else match.start()
    century = (match["century"] or match["alone"] or "nineteen").lower()
    low = _CENTURIES[century] + _TENS[match["word"].lower()]
    prefix = Prefix(start, match.start("word"), part=match["part"] or "", part_end=match["part2"] or "")
    years = narrow((low, low + 9), prefix)
    return DateSpan(start, match.end(), Interval(day(years[0]), day(years[1], 12, 31)), Precision.DECADE, True)

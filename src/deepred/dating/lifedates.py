"""The brackets after a name to evidence: "(12 February 1809 – 15 April 1865)", "(born 3 May 1955)", "(1919–1933)"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from deepred.dating.dates import DateSpan, Precision, find_dates
from deepred.dating.evidence import ALIVE, Evidence, begun
from deepred.documents import Interval, year_of

BRACKET_REACH = 260
"""Characters within which the brackets after the name open."""
LONGEST_LIFE = 115
SHORTEST_LIFE = 12
"""Years between which a duration in brackets can be a life."""

PRONOUN = re.compile(r"\b(?:he|she|his|her|him)\b", re.IGNORECASE)
_NO_PERSON = (
    "power|order|number|other|border|river|tower|newspaper|paper|cluster|super|former|upper|lower|inner|outer|later|"
    "earlier|German|Roman|Ottoman|Norman|human|minor|major|superior|senior|junior|after|under|over|center|career|computer|"
    "charter|theater|corner|helicopter|carrier|cruiser|destroyer|fighter|bomber|chapter"
)
_PERSON_NOUN = (
    r"\w*(?:er|or|ist|icians?|eer|man)|historian|theologian|comedian|librarian|grammarian|king|queen|duke|count|earl|saint|"
    "monk|pope|poet|knight|priest|abbot|judge|nun|chief|prince|princess|lord|lady|baron|martyr|caliph|sultan|pharaoh|"
    "rabbi|mystic|critic|athlete|diplomat|bishop|aristocrat|son|daughter|wife|spy|architect|advocate"
)
PERSON = re.compile(
    rf"\b(?:is|was) (?:an?|the|one of the) (?:[\w’'-]+,? (?:and )?){{0,5}}?(?!(?:{_NO_PERSON})\b)(?:{_PERSON_NOUN})\b"
)
"""A predicate whose noun means a person, as far as its ending shows."""
_BORN = re.compile(r"(?:\b[Bb]orn\b|\bb\.\s|\b[Bb]irth\b|(?<!\w)\*\s?(?=\d))")
_DIED = re.compile(r"(?:\b[Dd]ied\b|\bd\.\s|†)")
_FLOURISHED = re.compile(r"\b(?:fl\.|floruit|active|flourished)")
_REIGNED = re.compile(r"\b(?:r\.|reigned|ruled|reign)")
_DASH = re.compile(r"\s?[–—]\s?|\s-\s|(?<=\d)-(?=\d{3})|\s+to\s+")
_VERB = re.compile(r"\b(?:is|are|was|were)\b")
_BARE_START = re.compile(r"\b(\d{3,4})\s?[–—-]\s?\Z")
_CONFIDENCE, _APPROXIMATE = 0.85, 0.7


def bracket_evidence(lead: str) -> list[Evidence]:
    """The evidence of the first brackets that hold a date.

    >>> [row.kind for row in bracket_evidence("The Weimar Republic (1919–1933) was the German state.")]
    ['start', 'end']
    """
    for inside in _brackets(lead):
        text = f"({inside})"
        if spans := find_dates(text):
            return _read(text, spans, lead)
    return []


def _brackets(lead: str) -> Iterator[str]:
    """The contents of the brackets that open near the beginning, outermost ones only."""
    depth, start = 0, 0
    for place, letter in enumerate(lead):
        if letter == "(":
            if depth == 0:
                if place > BRACKET_REACH:
                    return
                start = place + 1
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            if depth == 0:
                yield lead[start:place]


def _read(text: str, spans: list[DateSpan], lead: str) -> list[Evidence]:
    note, first = text[:100], spans[0]
    before = text[: first.start]
    if _REIGNED.search(before):
        return [begun("event", first.interval, "lead", _APPROXIMATE, note)]
    if _FLOURISHED.search(text[: first.end]):
        return [_row("work", first, note)]
    one_year = year_of(first.interval.first) == year_of(first.interval.last)
    if _BORN.search(before) and len(spans) == 1 and one_year:
        return [_row("birth", first, note), Evidence(ALIVE, None, None, "lead", 0.8, note, known=False)]
    if _DIED.search(before):
        return [_row("death", first, note)]
    ends = _ends(text, spans)
    if ends is None:
        return []
    if _is_life(*ends, before, lead):
        kinds = ("birth", "death")
    elif _VERB.search(lead[: lead.find(text)]):
        return []  # brackets after the verb are of something else
    else:
        kinds = ("start", "end")
    return [_row(kind, span, note) for kind, span in zip(kinds, ends, strict=True)]


def _row(kind: str, span: DateSpan, note: str) -> Evidence:
    confidence = _APPROXIMATE if span.approximate else _CONFIDENCE
    return Evidence(kind, span.interval.first, span.interval.last, "lead", confidence, note, kind != "birth")


def _is_life(start: DateSpan, end: DateSpan, before: str, lead: str) -> bool:
    """Whether two dates are birth and death: of a life's length, and exact, said so, or of somebody."""
    years = year_of(end.interval.last) - year_of(start.interval.first)
    if not SHORTEST_LIFE <= years <= LONGEST_LIFE:
        return False
    exact = Precision.DAY in (start.precision, end.precision)
    return exact or bool(_BORN.search(before) or PRONOUN.search(lead) or PERSON.search(lead[:500]))


def _ends(text: str, spans: list[DateSpan]) -> tuple[DateSpan, DateSpan] | None:
    """The two ends of "A – B" in brackets, whether the dash joined them in one span or stands between two."""
    for one in spans[:2]:
        parts = _DASH.split(text[one.start : one.end], maxsplit=1)
        if len(parts) == 2:
            return _alone(parts[0], one, one.interval.first), _alone(parts[1], one, one.interval.last)
    first = spans[0]
    if len(spans) >= 2 and _DASH.search(text[first.end : spans[1].start]):
        return first, spans[1]
    if bare := _BARE_START.search(text[: first.start]):  # (778 – 20 June 840)
        return replace(first, interval=Interval.of(int(bare[1])), precision=Precision.YEAR), first
    return None


def _alone(text: str, whole: DateSpan, edge: int) -> DateSpan:
    """One end of a joined span; an end that is no date alone ("72" of "1965–72") is the year of the span's edge."""
    spans = find_dates(f"in {text},")
    if spans and year_of(spans[0].interval.first) <= year_of(edge) <= year_of(spans[0].interval.last):
        return spans[0]
    interval = Interval(edge, edge) if whole.precision == Precision.DAY else Interval.of(year_of(edge))
    return DateSpan(whole.start, whole.end, interval, whole.precision, whole.approximate)

"""The brackets after a name to evidence: "(12 February 1809 – 15 April 1865)", "(born 3 May 1955)", "(1919–1933)"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from deepred.base.days import Interval, year_of
from deepred.dating.evidence import ALIVE, Evidence, begun
from deepred.dating.lead_patterns import OFFICE, PERSON, PRONOUN, VERB
from deepred.text.dates.find import DateSpan, Precision, find_dates

BRACKET_REACH = 260
"""Characters within which the brackets after the name open."""
OFFICE_REACH = 120
"""Characters after the first verb in which the subject's own office stands with its brackets."""
LONGEST_LIFE = 115
SHORTEST_LIFE = 12
"""Years between which a duration in brackets can be a life."""

_BORN = re.compile(r"(?:\b[Bb]orn\b|\bb\.\s|\b[Bb]irth\b|(?<!\w)\*\s?(?=\d))")
_DIED = re.compile(r"(?:\b[Dd]ied\b|\bd\.\s|†)")
_FLOURISHED = re.compile(r"\b(?:fl\.|floruit|active|flourished)")
_REIGNED = re.compile(r"\b(?:r\.|reigned|ruled|reign)")
_DASH = re.compile(r"\s?[–—]\s?|\s-\s|(?<=\d)-(?=\d{3})|\s{1,3}to\s{1,3}")
_CLOSING = re.compile(r"\s*[;,)]")
_PRESENT_VERB = re.compile(r"\s{0,3},?\s{0,3}is\b")
_BARE_START = re.compile(r"\b(\d{3,4})\s?[–—-]\s?\Z")
_CONFIDENCE, _APPROXIMATE = 0.85, 0.7


def bracket_evidence(lead: str) -> list[Evidence]:
    """The evidence of the first brackets that hold a date; after the first verb they are about something else.

    >>> [row.kind for row in bracket_evidence("The Weimar Republic (1919–1933) was the German state.")]
    ['start', 'end']
    """
    for inside in _brackets(lead):
        text = f"({inside})"
        if spans := find_dates(text):
            return [] if VERB.search(lead[: lead.find(text)]) else _read(text, spans, lead)
    return []


def reign_evidence(lead: str) -> list[Evidence]:
    """The beginning of a reign or term in the brackets after an office: "was the Emir of Córdoba (912–961)".

    >>> reign_evidence("A B was the Emir of Zor (912–961).")[0].first
    9120101
    """
    verb = VERB.search(lead)
    for match in OFFICE.finditer(lead, verb.end(), verb.end() + OFFICE_REACH) if verb else ():
        close = lead.find(")", match.end())
        spans = find_dates(lead[match.end() - 1 : close + 1])
        if len(spans) == 1 and _DASH.search(lead[match.end() : close]):
            return [begun("event", spans[0].interval, "lead", _APPROXIMATE, lead[match.start() : close + 1][:100])]
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
    died = _last(_DIED, before) > _last(_BORN, before)
    if not died and _BORN.search(before) and len(spans) == 1 and one_year:
        return [_row("birth", first, note), Evidence(ALIVE, None, None, "lead", 0.8, note, known=False)]
    if died:
        return [_row("death", first, note)]
    if len(spans) == 1 and _is_birth(text, first, lead):  # (; November 10, 1928) is an Italian composer
        return [_row("birth", first, note), Evidence(ALIVE, None, None, "lead", 0.8, note, known=False)]
    ends = _ends(text, spans)
    if ends is None:
        return []
    if _is_life(*ends, before, lead):
        kinds = ("birth", "death")
    elif not any(_CLOSING.match(text, span.end) for span in spans[:2]):
        return []  # names with their times: "1939–1945 Gotenhafen"
    else:
        kinds = ("start", "end")
    return [_row(kind, span, note) for kind, span in zip(kinds, ends, strict=True)]


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where a pattern occurs last, -1 where it does not."""
    return max((match.start() for match in pattern.finditer(text)), default=-1)


def _is_birth(text: str, date: DateSpan, lead: str) -> bool:
    """Whether a lone day in brackets is the birth of somebody whom the lead speaks of in the present tense."""
    one_day = date.precision == Precision.DAY and date.interval.first == date.interval.last
    after = lead[lead.find(text) + len(text) :][:40]
    return one_day and bool(_PRESENT_VERB.match(after) and PERSON.search(lead[:500]))


def _row(kind: str, span: DateSpan, note: str) -> Evidence:
    confidence = _APPROXIMATE if span.approximate or kind in ("start", "end") else _CONFIDENCE
    return Evidence(kind, span.interval.first, span.interval.last, "lead", confidence, note, kind != "birth")


def _is_life(start: DateSpan, end: DateSpan, before: str, lead: str) -> bool:
    """Whether two dates are birth and death: of a life's length, and exact, said so, or of somebody."""
    years = year_of(end.interval.last) - year_of(start.interval.first)
    if not SHORTEST_LIFE <= years <= LONGEST_LIFE:
        return False
    exact = Precision.DAY in (start.precision, end.precision)
    somebody = PERSON.search(lead[:500]) or (PRONOUN.search(lead) and not lead.startswith("The "))
    return exact or bool(_BORN.search(before) or somebody)


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

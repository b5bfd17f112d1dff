"""The first sentences of an article to evidence: lives, "is a 1977 film", "founded in 1971", "from 1911 to 1923".

Only what is said of the subject itself counts: the first sentence must name it, and a later one must go on about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.dating.dates import DateSpan, Precision, find_dates
from deepred.dating.evidence import ALIVE, LASTING, PRESENT_TENSE, Evidence, begun
from deepred.dating.lifedates import BRACKET_REACH, PERSON, PRONOUN, bracket_evidence
from deepred.dating.titledates import WORK, title_evidence
from deepred.documents import Interval, year_of

LEAD_CHARACTERS = 700
"""Text that counts as the lead; two or three sentences."""
HEAD_CHARACTERS = 3000
"""Text in which the lead begins; what stands above it is left over from infoboxes and players of audio files."""
SHORTEST_LEAD = 25
PREDICATE_REACH = 120
"""Characters after "is a" in which the noun stands that says what the subject is."""
VERB_REACH = 140
"""Characters before a date in which the verb stands that it belongs to."""

_NO_LEAD = ("Listen to this article", "This audio file", "For other uses", "This article is about")
_TITLE_WORD = re.compile(r"[^\W\d_]{2,}|\d+")
_HEAD_END = re.compile(r"\(|\b(?:is|are|was|were|has|had|began|took)\b")
_IS = re.compile(r"\b(?P<verb>is|are|was|were|refers? to|has been|have been|includes?)\b\s?")
_PRESENT = ("is", "are", "refers to", "refer to", "has been", "have been", "include", "includes")
_YEAR_WORK = re.compile(
    r"\b(?:is|was|are|were)\s+(?:an?|the)\s+(?:(?!(?:in|on|of|from|by|since|to|at)\b)[^\s.()]+\s+){0,3}?"
    r"(?P<year>1[0-9]\d\d|20\d\d)\s+(?P<what>[^.;()]{0,90})"
)
_WORK_WORD = re.compile(rf"\b{WORK}s?\b", re.IGNORECASE)
_SERIAL = re.compile(
    r"\b(?:magazine|newspaper|journal|periodical|series|franchise|website|software|operating system|"
    r"programming language|soap opera|sitcom|programme|program|show|band|company|encyclopedia|comic strip|"
    r"character|club|brand)\b",
    re.IGNORECASE,
)
_EVENTS = {
    "publication": (
        "released|published|premiered|aired|issued|printed|screened|written|composed|recorded|painted|performed|staged"
    ),
    "discovery": "discovered|invented|patented|isolated|described|identified|synthesi[sz]ed|proposed|coined|devised",
    "start": (
        "founded|established|formed|created|incorporated|introduced|launched|opened|built|completed|constructed|"
        "inaugurated|organi[sz]ed|set up|designed|developed|chartered|settled|instituted|began|begun|started|erected|"
        "commissioned|first flew|first flown|entered service|adopted|gained independence|declared independence|admitted"
    ),
    "point": (
        "fought|held|occurred|took place|happened|signed|enacted|ratified|concluded|contested|passed|sank|crashed|"
        "struck|erupted|landed|ended in a"
    ),
    "end": (
        "dissolved|abolished|closed|demolished|disbanded|ceased|defunct|destroyed|discontinued|ended|extinct|merged|"
        "scrapped"
    ),
    "death": "died|murdered|killed|assassinated|executed|beheaded|martyred",
    "birth": "born",
}
"""Verbs by the kind of event that they state of a subject."""
_EVENT = re.compile("|".join(rf"\b(?P<{kind}>{verbs})\b" for kind, verbs in _EVENTS.items()))
_NEAR = re.compile(
    r"[^.;]{0,110}?\b(?:in|on|during|from|between|by|since|of|c\.|around|circa|early|late|mid)[\s-]+"
    r"(?:the\s+|about\s+|around\s+)?(?:early |late |mid-)?\Z"
)
_OBJECT = re.compile(r"\s+(?:the|a|an|his|her|its|their|two|three|several|many)\s+(?!\w+ of [A-Z][a-z]+ \d)")
"""An object after the verb: who "closed the mills in 1894" did not close then."""
_TERM = re.compile(r"\b(?P<word>from|between|since|until)\s+(?=\S)")
_SENTENCE_END = re.compile(r"(?<=[a-z)\d”\"])\.\s+(?=[A-Z])")
_ABOUT_IT = ("It ", "He ", "She ", "They ")
_CONFIDENCE = {
    "publication": 0.8,
    "discovery": 0.7,
    "start": 0.7,
    "point": 0.75,
    "end": 0.6,
    "death": 0.6,
    "birth": 0.6,
}


def lead_evidence(title: str, text: str) -> list[Evidence]:
    """What title and first sentences of an article say of its subject's dates, the surest first.

    >>> [row.kind for row in lead_evidence("A B", "A B (12 February 1809 – 15 April 1865) was a statesman.")]
    ['birth', 'death']
    """
    if named := title_evidence(title):
        return named
    lead = opening(title, text)
    if not _names(title, lead):
        return []
    spans = find_dates(lead)
    found = bracket_evidence(lead)
    person = any(row.kind in ("birth", "death") for row in found) or _is_person(lead)
    found += _dated_work(lead)
    found += _events(title, lead, spans, person, {row.kind for row in found})
    found += _terms(lead, spans, person)
    found += _survival(lead, person)
    if not any(row.first is not None for row in found):
        found += _mention(lead, spans, person)
    return found


def opening(title: str, text: str) -> str:
    """The lead's first sentences, without a title above them and without what players of audio files say.

    >>> opening("Braille", "Braille\\n\\nBraille is a script.")
    'Braille is a script.'
    """
    start = re.sub(r"\s*\n(?=[a-z])", " ", text[:HEAD_CHARACTERS].lstrip())  # a line that broke off inside a sentence
    lines = [line.strip() for line in start.split("\n")]
    prose = [line for line in lines if line not in ("", title) and not line.startswith(_NO_LEAD)]
    first = next((n for n, line in enumerate(prose) if len(line) >= SHORTEST_LEAD and _names(title, line)), 0)
    lead = "\n".join(prose[first:])
    end = lead.find("\n", PREDICATE_REACH)
    return lead[: end if end > 0 else None][:LEAD_CHARACTERS]


def _names(title: str, lead: str) -> bool:
    """Whether a word of the title, brackets left out, stands before the first verb or bracket of the lead."""
    words = {word.lower() for word in _TITLE_WORD.findall(title.partition(" (")[0])}
    if not words:
        return True
    head = _HEAD_END.split(lead[:BRACKET_REACH], maxsplit=1)[0]
    return bool(words & {word.lower() for word in _TITLE_WORD.findall(head)})


def _is_person(lead: str) -> bool:
    match = _IS.search(lead[:400])
    what = lead[match.end() : match.end() + PREDICATE_REACH] if match else ""
    return bool(PRONOUN.search(lead)) and bool(PERSON.search(lead[:400])) and not _WORK_WORD.search(what[:60])


def _dated_work(lead: str) -> list[Evidence]:
    """ "is a 1977 film": a publication; "was a 1943 battle": a point in time."""
    match = _YEAR_WORK.search(lead[:400])
    if match is None or not find_dates(f"in {match['year']},"):
        return []
    kind, confidence = ("publication", 0.85) if _WORK_WORD.search(match["what"]) else ("point", 0.6)
    interval = Interval.of(int(match["year"]))
    return [Evidence(kind, interval.first, interval.last, "lead", confidence, match[0][:100])]


def _events(title: str, lead: str, spans: list[DateSpan], person: bool, seen: set[str]) -> Iterator[Evidence]:
    """ "founded in 1971", "was signed on 4 July 1776": a verb and the date that follows it; one of each kind."""
    for span in spans:
        verb = next(reversed(list(_EVENT.finditer(lead, max(0, span.start - VERB_REACH), span.start))), None)
        if verb is None or not _NEAR.match(lead[verb.end() : span.start]) or _OBJECT.match(lead, verb.end()):
            continue
        kind = str(verb.lastgroup)
        if person and kind not in ("birth", "death"):
            kind = "event"
        if kind in seen or (not person and kind in ("birth", "death")) or not _continues(title, lead, verb.start()):
            continue
        seen.add(kind)
        note = lead[verb.start() : span.end][:100]
        confidence = _CONFIDENCE.get(kind, 0.5)
        if kind in ("event", "start"):
            yield begun(kind, span.interval, "lead", confidence, note)
        else:
            first, last = span.interval.first, span.interval.last
            yield Evidence(kind, first, last, "lead", confidence, note, kind != "birth")


_SUBJECT_AGAIN = re.compile(r"The ([\w-]+) (?:was|were)\b|(?:First|Originally) \w+ed\b")


def _continues(title: str, lead: str, place: int) -> bool:
    """Whether the sentence around a place is the first one or goes on about its subject."""
    start = max((match.end() for match in _SENTENCE_END.finditer(lead, 0, place)), default=0)
    if start == 0 or start == place or lead.startswith((*_ABOUT_IT, title.partition(" (")[0]), start):
        return True
    again = _SUBJECT_AGAIN.match(lead, start)  # "… is an English football club. The club was founded in 1892"
    return bool(again) and (again[1] is None or f" {again[1]} " in lead[:start])


def _terms(lead: str, spans: list[DateSpan], person: bool) -> Iterator[Evidence]:
    """ "King of X from 1911 to 1923": an office that made a person known, or the duration of what "was"."""
    first = _SENTENCE_END.split(lead, maxsplit=1)[0]
    starts = ((match, span) for match in _TERM.finditer(first) for span in spans if 0 <= span.start - match.end() <= 4)
    match, span = next(starts, (None, None))
    if match is None or span is None:
        return
    note = lead[match.start() : span.end][:100]
    if person:
        yield begun("event", span.interval, "lead", 0.6, note)
        return
    predicate = _IS.search(first)
    lasted = year_of(span.interval.last) > year_of(span.interval.first) and span.precision >= Precision.YEAR
    if lasted and match["word"] in ("from", "between") and predicate and predicate["verb"] in ("was", "were"):
        start, end = year_of(span.interval.first), year_of(span.interval.last)
        yield Evidence("start", Interval.of(start).first, Interval.of(start).last, "lead", 0.5, note)
        yield Evidence("end", Interval.of(end).first, Interval.of(end).last, "lead", 0.5, note)


def _survival(lead: str, person: bool) -> Iterator[Evidence]:
    """The present tense of a thing that is no finished work."""
    match = _IS.search(lead[:400])
    if person or match is None or match["verb"] not in _PRESENT:
        return
    what = re.split(r"\.\s|\n", lead[match.end() : match.end() + PREDICATE_REACH], maxsplit=1)[0]
    serial = bool(_SERIAL.search(what))
    if serial or not _WORK_WORD.search(what):
        confidence = LASTING if serial else PRESENT_TENSE
        yield Evidence(ALIVE, None, None, "lead", confidence, f"“{match['verb']}” in the lead", known=False)


def _mention(lead: str, spans: list[DateSpan], person: bool) -> Iterator[Evidence]:
    """A lone date of the first sentence: when a person was about; of anything else a remark that decides nothing."""
    end = _SENTENCE_END.search(lead)
    if not spans or (end and spans[0].start > end.start()):
        return
    interval = spans[0].interval
    kind = "work" if person else "mention"
    note = lead[max(0, spans[0].start - 40) : spans[0].end]
    yield Evidence(kind, interval.first, interval.last, "lead", 0.3 if person else 0.2, note, known=person)

"""The first sentences of an article to evidence: lives, "is a 1977 film", "founded in 1971", "from 1911 to 1923".

Only what is said of the subject itself counts: the first sentence must name it, and a later one must go on about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.base.days import Interval, year_of
from deepred.dating.evidence import ALIVE, CLOSED, LASTING, MENTION, PRESENT_TENSE, Evidence, begun
from deepred.dating.infobox_dates import title_evidence
from deepred.dating.lead_patterns import (
    ACTIVE,
    EVENT,
    IS,
    KIND_OF,
    LASTING_PHRASE,
    NEAR,
    NO_SUBJECT,
    OBJECT,
    OTHER_VERB,
    PASSIVE,
    PERSON,
    PERSONAL,
    PREDICATE_END,
    PRESENT,
    PRONOUN,
    REVIVED,
    SENTENCE_END,
    SERIAL,
    SUFFERED,
    TERM,
    TOPIC,
    WORK_OF,
    WORK_WORD,
    YEAR_WORK,
)
from deepred.dating.life_brackets import BRACKET_REACH, bracket_evidence, reign_evidence
from deepred.text.dates.find import DateSpan, Precision, find_dates

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
    if title.endswith(NO_SUBJECT):
        return []
    if named := title_evidence(title, text):
        return named
    lead = opening(title, text)
    if not _names(title, lead):
        return []
    if TOPIC.fullmatch(title):
        return list(_survival(lead, person=False))
    spans = find_dates(lead)
    found = bracket_evidence(lead)
    person = any(row.kind in ("birth", "death") for row in found) or _is_person(lead)
    found += _dated_work(lead)
    found += _events(title, lead, spans, person, {row.kind for row in found})
    found += _terms(lead, spans, person)
    if person and not any(row.kind == "event" for row in found):
        found += reign_evidence(lead)
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
    match = IS.search(lead[:400])
    what = lead[match.end() : match.end() + PREDICATE_REACH] if match else ""
    return bool(PRONOUN.search(lead)) and bool(PERSON.search(lead[:400])) and not WORK_WORD.search(what[:60])


def _dated_work(lead: str) -> list[Evidence]:
    """ "is a 1977 film": a publication; "was a 1943 battle": a point in time."""
    match = YEAR_WORK.search(lead[:400]) or WORK_OF.match(lead)
    if match is None or not find_dates(f"in {match['year']},"):
        return []
    what = PREDICATE_END.split(match["what"], maxsplit=1)[0]
    kind, confidence = ("publication", 0.85) if WORK_WORD.search(what) else ("point", 0.6)
    interval = Interval.of(int(match["year"]))
    return [Evidence(kind, interval.first, interval.last, "lead", confidence, match[0][:100])]


def _events(title: str, lead: str, spans: list[DateSpan], person: bool, seen: set[str]) -> Iterator[Evidence]:
    """ "founded in 1971", "was signed on 4 July 1776": a verb and the date that follows it; one of each kind."""
    work = _names_work(lead)
    found: dict[str, Evidence] = {}
    before = 0
    for span in spans:
        before, previous = span.end, before
        verb = next(reversed(list(EVENT.finditer(lead, max(0, span.start - VERB_REACH), span.start))), None)
        if verb is None or verb.start() < previous or not NEAR.match(lead[verb.end() : span.start]):
            continue
        if OTHER_VERB.search(lead, verb.end(), span.start) or (
            not person and verb[0] not in ACTIVE and OBJECT.match(lead, verb.end())
        ):
            continue
        stated = str(verb.lastgroup)
        if stated not in ("publication", "creation") and " until " in lead[verb.end() : span.start]:
            continue
        kind = KIND_OF.get(stated, stated)
        if person and kind not in ("birth", "death"):
            kind = stated = "event"
        if kind in seen or stated in found or (not person and kind in ("birth", "death")):
            continue
        if not _speaks_of_it(title, lead, verb.start(), kind, person, work):
            continue
        found[stated] = _event(lead, verb.start(), span, kind, stated)
    if "publication" in found:
        found.pop("creation", None)
    if "close" in found:
        found.pop("end", None)
    yield from found.values()


def _event(lead: str, place: int, span: DateSpan, kind: str, stated: str) -> Evidence:
    note = lead[place : span.end][:100]
    confidence = _CONFIDENCE.get(kind, 0.5)
    if kind in ("event", "start"):
        return begun(kind, span.interval, "lead", confidence, note)
    if stated == "close" and SUFFERED.search(lead[:place]) and not REVIVED.search(lead, place):
        confidence = CLOSED
    return Evidence(kind, span.interval.first, span.interval.last, "lead", confidence, note, kind != "birth")


def _predicate(lead: str) -> tuple[str, str]:
    """The first sentence's verb and what it calls the subject: "is", "the debut studio album"."""
    first = SENTENCE_END.split(lead[:400], maxsplit=1)[0]
    match = IS.search(first)
    if match is None:
        return "", ""
    return match["verb"], PREDICATE_END.split(first[match.end() :][:PREDICATE_REACH], maxsplit=1)[0]


def _names_work(lead: str) -> bool:
    """Whether the first predicate calls the subject a work or something that is published."""
    what = _predicate(lead)[1]
    return bool(WORK_WORD.search(what) or SERIAL.search(what))


def _speaks_of_it(title: str, lead: str, place: int, kind: str, person: bool, work: bool) -> bool:
    """Whether the verb at a place is said of the article's subject, as far as the words before it show."""
    if not _continues(title, lead, place):
        return False
    before = lead[max(0, place - 16) : place]
    if kind == "event":
        return bool(PERSONAL.search(before)) or before.rstrip().endswith(title.partition(" (")[0][-8:])
    if kind == "publication" and not person and not work:
        return bool(PASSIVE.search(before)) or "," in before[-3:]
    return True


_SUBJECT_AGAIN = re.compile(r"The ([\w-]+) (?:was|were|first|originally|officially)\b|(?:First|Originally) \w+ed\b")


def _continues(title: str, lead: str, place: int) -> bool:
    """Whether the sentence around a place is the first one or goes on about its subject."""
    start = max((match.end() for match in SENTENCE_END.finditer(lead, 0, place)), default=0)
    if start == 0 or start == place or lead.startswith((*_ABOUT_IT, title.partition(" (")[0]), start):
        return True
    again = _SUBJECT_AGAIN.match(lead, start)  # "… is an English football club. The club was founded in 1892"
    return bool(again) and (again[1] is None or f" {again[1]} " in lead[:start])


def _terms(lead: str, spans: list[DateSpan], person: bool) -> Iterator[Evidence]:
    """ "King of X from 1911 to 1923": an office that made a person known, or the duration of what "was"."""
    first = SENTENCE_END.split(lead, maxsplit=1)[0]
    starts = ((match, span) for match in TERM.finditer(first) for span in spans if 0 <= span.start - match.end() <= 4)
    match, span = next(starts, (None, None))
    if match is None or span is None:
        return
    note = lead[match.start() : span.end][:100]
    if person:
        yield begun("event", span.interval, "lead", 0.6, note)
        return
    predicate = IS.search(first)
    lasted = year_of(span.interval.last) > year_of(span.interval.first) and span.precision >= Precision.YEAR
    lasted = lasted and predicate is not None and bool(LASTING_PHRASE.match(first, predicate.end()))
    if lasted and match["word"] in ("from", "between") and predicate and predicate["verb"] in ("was", "were"):
        start, end = year_of(span.interval.first), year_of(span.interval.last)
        yield Evidence("start", Interval.of(start).first, Interval.of(start).last, "lead", 0.5, note)
        yield Evidence("end", Interval.of(end).first, Interval.of(end).last, "lead", 0.5, note)


def _survival(lead: str, person: bool) -> Iterator[Evidence]:
    """The present tense of a thing that is no finished work."""
    verb, what = _predicate(lead)
    if person or verb not in PRESENT:
        return
    serial = bool(SERIAL.search(what))
    if serial or not WORK_WORD.search(what):
        confidence = LASTING if serial else PRESENT_TENSE
        yield Evidence(ALIVE, None, None, "lead", confidence, f"“{verb}” in the lead", known=False)


def _mention(lead: str, spans: list[DateSpan], person: bool) -> Iterator[Evidence]:
    """A lone date of the first sentence: when a person was about; of anything else a remark that decides nothing."""
    end = SENTENCE_END.search(lead)
    if not spans or (end and spans[0].start > end.start()):
        return
    interval = spans[0].interval
    kind = "work" if person else MENTION
    note = lead[max(0, spans[0].start - 40) : spans[0].end]
    yield Evidence(kind, interval.first, interval.last, "lead", 0.3 if person else 0.2, note, known=person)

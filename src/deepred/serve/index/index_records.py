"""The records of an index, for every store and search engine; REST and MCP answer them too, and describe them by this.

A record is a plain dataclass, made by the thousand. Its JSON, its schema and its descriptions come of pydantic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ConfigDict, Field

from deepred.base.days import Day
from deepred.serve.iso_days import IsoDay, IsoDayOrNone


class Record:
    """What is answered over HTTP as it stands: the docstrings of its fields are their descriptions there."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Result(Record):
    """A paragraph that was found."""

    page_id: int
    """Its article."""
    paragraph: int
    """Its number in the article, from 0."""
    title: str
    """The article's title."""
    section: str
    """The heading above it; empty in the lead."""
    # empty too where the heading itself is later
    snippet: str
    """Plain text, sentences told as of the day only."""
    # at most ``snippets.LONGEST`` characters
    highlights: tuple[tuple[int, int], ...]
    """Spans [start, end) of the snippet that answer the query."""
    # in order, never overlapping
    first_known: IsoDayOrNone
    """The day from which the article's subject was known."""
    kind: Annotated[str, Field(serialization_alias="class")]
    """The article's class at the run's cutoff: O, S or U; books: empty."""
    source: str
    """wikipedia or books."""
    score: float
    """Comparable within one page of one mode only."""


@dataclass(frozen=True, slots=True)
class SearchAnswer(Record):
    """A page of results."""

    # in an order that does not change from call to call
    query: str
    """What was asked."""
    as_of: IsoDay
    """The day that was applied: nothing of that day or later is told."""
    mode: str
    """hybrid, bm25 or semantic."""
    results: tuple[Result, ...]
    """The results of this page, best first."""
    total: int
    """All that match (bm25), or the candidates that were ranked."""
    page: int
    """This page's number, from 1."""
    size: int
    """Results of a page."""
    next: int | None
    """The next page's number (`page=`); null after the last."""


@dataclass(frozen=True, slots=True)
class Link(Record):
    """A link inside a sentence."""

    start: int
    """Where it starts in the sentence's text."""
    end: int
    """Where it ends."""
    target: str
    """The title linked to."""


@dataclass(frozen=True, slots=True)
class Sentence(Record):
    """A sentence of an article."""

    start: Annotated[int, Field(exclude=True)]
    end: Annotated[int, Field(exclude=True)]
    """Span of the article's own text."""
    text: str
    """The sentence."""
    kept: bool
    """Whether it is told as of the day; false only with `cuts=true`."""
    reason: str
    """Why it was cut; empty where it was kept."""
    # date, link, entity, term, context, class, incoherent, short, or ``LATER``
    probability: float | None
    """That it is late, as the filter saw it; null where it was kept."""
    day: IsoDayOrNone
    """The day from which it can have been written."""
    # None where neither it nor its article has a date
    links: tuple[Link, ...]
    """Its links."""


@dataclass(frozen=True, slots=True)
class Paragraph(Record):
    """A paragraph of an article."""

    number: int
    """Its number in the article, from 0."""
    section: int
    """The number of its section; 0 is the lead."""
    sentences: tuple[Sentence, ...]
    """Its sentences that are told."""


@dataclass(frozen=True, slots=True)
class Section(Record):
    """A heading of an article."""

    # of those with something below them that is told
    number: int
    """From 1, in order."""
    level: int
    """Depth, from 2."""
    title: str
    """The heading; empty where it is itself later."""


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """A dated statement about the subject."""

    kind: str
    """birth, death, start, end, publication, point …"""
    first: IsoDayOrNone
    """First day of its interval."""
    last: IsoDayOrNone
    """Last day of its interval."""
    source: str
    """wikidata, yago, category, infobox, lead or llm."""
    confidence: float
    """From 0 to 1."""
    note: str
    """What it was read from."""


@dataclass(frozen=True, slots=True)
class WhyAnswer(Record):
    """A subject's dates, their evidence, and how its sentences fared."""

    page_id: int
    """The article."""
    title: str
    """Its title."""
    redirected_from: str
    """The redirect that led here, else empty."""
    as_of: IsoDay
    """The day that was applied: nothing of that day or later is told."""
    kind: Annotated[str, Field(serialization_alias="class")]
    """Class at the run's cutoff: O over, N new, S spanning, U undated."""
    reason: str
    """What decided the class."""
    first: IsoDayOrNone
    """First day of the subject's own interval."""
    last: IsoDayOrNone
    """Its last day; null while it survives."""
    # None too where the end is later than ``as_of``
    first_known: IsoDayOrNone
    """The day from which the subject was known."""
    ended: bool
    """Whether an end is attested."""
    evidence: tuple[Evidence, ...]
    """Dated statements, the deciding ones first."""
    kept: int
    """Sentences told."""
    dropped: dict[str, int]
    """Sentences not told, by reason; only with `cuts=true`."""


@dataclass(frozen=True, slots=True)
class Article:
    """An article as of a day, with all that attribution needs."""

    page_id: int
    title: str
    redirected_from: str
    """The title that was asked for where a redirect led here, else empty."""
    source: str
    revision_id: int
    """0 where the source has no revisions."""
    timestamp: str
    """Time of that revision, ISO 8601; attribution, not knowledge: it is later than any ``as_of``."""
    origin: str
    """The wiki or collection, as the extraction names it (``enwiki``)."""
    author: str
    licence: str
    as_of: Day
    """The day that was applied; in a record, the run's cutoff."""
    dates: WhyAnswer
    sections: tuple[Section, ...]
    paragraphs: tuple[Paragraph, ...]
    modified: bool
    """Whether sentences are missing or marked: what a note of modification must say."""


@dataclass(frozen=True, slots=True)
class Event(Record):
    """What happened."""

    first: IsoDay
    """First day of when it happened."""
    last: IsoDay
    """Last day."""
    kind: str
    """event, birth or death."""
    text: str
    """As the year's article has it."""
    page_id: int
    """The article that says so."""


@dataclass(frozen=True, slots=True)
class YearAnswer(Record):
    """A year's events before the day."""

    year: int
    """Astronomical: 1 BCE is 0."""
    as_of: IsoDay
    """The day that was applied: nothing of that day or later is told."""
    events: tuple[Event, ...]
    """The events of this page, in order."""
    total: int
    """Events there are."""
    page: int
    """This page's number, from 1."""
    size: int
    """Events of a page."""
    next: int | None
    """The next page's number; null after the last."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the parts of an index answer, and what is in it."""

    ready: bool
    parts: dict[str, str] = field(default_factory=dict[str, str])
    """``store`` and ``search`` with ``ok`` or what is wrong."""
    version: str = ""
    """The version that answers."""
    run: str = ""
    cutoff: Day | None = None
    embeddings: str = ""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """articles, paragraphs, sentences …"""

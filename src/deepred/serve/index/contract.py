"""What an index answers: the records and errors that every store and search engine shares. Start reading here.

Law of ``as_of``, on every call: the day from which on nothing is told. None stands for the run's cutoff, and a later
day is treated as the cutoff. An article is there only if it was first known before that day; of its sentences only
those that the run's filter kept and whose own day lies before it (``told_from.py`` says how that day is found); dates,
evidence, headings and events of that day or later are left out. An article that nothing dates is told of at the cutoff
only, since the filter judged its sentences for that day and no other. ``cut=True`` is the one way round: the record
with everything that was cut, each sentence marked by the reason.

An ``Index`` may be called from many threads at once. A backend that is down raises ``Unavailable``; the next call tries
it again. A new index that is built meanwhile is taken up by itself between two calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from deepred.base.days import Day
from deepred.base.errors import FaultError, UserError

Mode = Literal["hybrid", "bm25", "semantic"]
MODES: tuple[Mode, ...] = ("hybrid", "bm25", "semantic")

LONGEST_QUERY = 1_000
"""Characters of a query; a longer one is refused."""
LARGEST_PAGE = 100
"""Results of a page at most."""
DEEPEST = 1_000
"""Results that can be reached by turning pages."""

LATER = "later"
"""Reason of a sentence that the run's filter kept, but that is later than the ``as_of`` asked for."""


class BadQueryError(UserError):
    """A query, filter or page that cannot be answered (400)."""


class NotFoundError(UserError):
    """There is no such article, or none that was known by then (404); the two cannot be told apart."""


class UnavailableError(FaultError):
    """A database or search server does not answer (503); the next call tries again."""


@dataclass(frozen=True, slots=True)
class Result:
    """A paragraph that was found."""

    page_id: int
    paragraph: int
    """Its number in the article, from 0: the same as ``Paragraph.number``."""
    title: str
    section: str
    """The heading above it; empty in the lead, or where the heading itself is later."""
    snippet: str
    """Plain text of at most ``snippets.LONGEST`` characters, sentences served by ``as_of`` only."""
    highlights: tuple[tuple[int, int], ...]
    """Spans [start, end) of the snippet that answer the query, in order, never overlapping."""
    first_known: Day | None
    kind: str
    """The article's class at the run's cutoff: O, S or U (books: empty)."""
    source: str
    """wikipedia or books."""
    score: float
    """Comparable within one page of one mode only."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results, in an order that does not change from call to call."""

    results: tuple[Result, ...]
    total: int
    """All that match, in mode bm25; else the number of candidates that were ranked."""
    page: int
    size: int
    next: int | None
    """The next page's number; None after the last."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link inside a sentence."""

    start: int
    end: int
    """Span of the sentence's text."""
    target: str
    """The title linked to."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and what the filter said of it."""

    start: int
    end: int
    """Span of the article's own text."""
    text: str
    kept: bool
    """False only in a record (``cut=True``)."""
    reason: str
    """Why it was cut: date, link, entity, term, context, class, incoherent, short, or ``later``; empty if kept."""
    probability: float | None
    """That it is late, as the filter saw it; None where it was kept."""
    day: Day | None
    """The day from which it can have been written; None where neither it nor its article has a date."""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The sentences of a paragraph that are told."""

    number: int
    section: int
    """Number of its section; 0 is the lead."""
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with something below it that is told."""

    number: int
    """From 1, in the order of the article."""
    level: int
    title: str
    """Empty where the heading itself is later."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A dated statement about the subject, and where it stands."""

    kind: str
    first: Day | None
    last: Day | None
    source: str
    confidence: float
    note: str


@dataclass(frozen=True, slots=True)
class Why:
    """A subject's dates, their evidence (deciding first), its class, and how its sentences fared."""

    page_id: int
    title: str
    redirected_from: str
    kind: str
    reason: str
    first: Day | None
    last: Day | None
    """The end of the subject's own interval; None while it survives, or where the end is later than ``as_of``."""
    first_known: Day | None
    ended: bool
    evidence: tuple[Evidence, ...]
    kept: int
    """Sentences told."""
    dropped: dict[str, int]
    """Sentences not told, by reason; empty unless ``cut=True``."""


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
    dates: Why
    sections: tuple[Section, ...]
    paragraphs: tuple[Paragraph, ...]
    modified: bool
    """Whether sentences are missing or marked: what a note of modification must say."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, as a year's article has it."""

    first: Day
    last: Day
    kind: str
    """event, birth or death."""
    text: str
    page_id: int
    """The article that says so."""


@dataclass(frozen=True, slots=True)
class Year:
    """A year's events before ``as_of``."""

    year: int
    events: tuple[Event, ...]
    total: int
    """Events there are; ``events`` holds the first ``size`` of them."""


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


class Index(Protocol):
    """The dated encyclopedia. ``current.open_index`` gives one; every method may raise ``UnavailableError``."""

    @property
    def cutoff(self) -> Day:
        """The run's cutoff: the latest ``as_of`` that has an effect."""
        ...

    def search(
        self,
        query: str,
        *,
        as_of: Day | None = None,
        after: Day | None = None,
        classes: tuple[str, ...] = (),
        sources: tuple[str, ...] = (),
        mode: Mode = "hybrid",
        page: int = 1,
        size: int = 10,
    ) -> Page:
        """Paragraphs that match words and "quoted phrases"; nothing else in a query has a meaning.

        ``after``: only of articles first known on that day or later. An index without embeddings answers hybrid by
        words alone, and refuses semantic. Raises ``BadQueryError``.
        """
        ...

    def article(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Article:
        """An article by id, or by title or redirect; raises ``NotFoundError`` where none was known by then."""
        ...

    def why(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Why:
        """A subject's dates with their evidence; raises ``NotFoundError``."""
        ...

    def year(self, year: int, *, as_of: Day | None = None, page: int = 1, size: int = 100) -> Year:
        """What happened in a year (astronomical: 1 BCE is 0), in order, before ``as_of``; maybe nothing."""
        ...

    def random(self, *, as_of: Day | None = None, seed: int | None = None) -> Article:
        """Any article that has text then; the same for the same seed. Raises ``NotFoundError`` if there is none."""
        ...

    def health(self) -> Health:
        """Never raises."""
        ...

    def close(self) -> None:
        """Free connections; the index is of no use afterwards."""
        ...

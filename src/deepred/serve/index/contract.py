"""What an index answers, and the errors that every store and search engine shares. Start reading here.

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

from typing import Literal, Protocol, TypedDict, Unpack

from deepred.base.days import Day
from deepred.base.errors import FaultError, UserError
from deepred.serve.index.index_records import Article, Health, SearchAnswer, WhyAnswer, YearAnswer

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


class Narrowed(TypedDict, total=False):
    """What narrows a search, how it ranks, and which page of it is wanted."""

    as_of: Day | None
    after: Day | None
    """Only of articles first known on that day or later."""
    classes: tuple[str, ...]
    """Only of articles of these classes; empty: of all."""
    sources: tuple[str, ...]
    mode: Mode
    page: int
    """From 1."""
    size: int
    """10 results a page where it is not named."""


class Index(Protocol):
    """The dated encyclopedia. ``current.open_index`` gives one; every method may raise ``UnavailableError``."""

    @property
    def cutoff(self) -> Day:
        """The run's cutoff: the latest ``as_of`` that has an effect."""
        ...

    def search(self, query: str, **narrowed: Unpack[Narrowed]) -> SearchAnswer:
        """Paragraphs that match words and "quoted phrases"; nothing else in a query has a meaning.

        An index without embeddings answers hybrid by words alone, and refuses semantic. Raises ``BadQueryError``.
        """
        ...

    def article(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Article:
        """An article by id, or by title or redirect; raises ``NotFoundError`` where none was known by then."""
        ...

    def why(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> WhyAnswer:
        """A subject's dates with their evidence; raises ``NotFoundError``."""
        ...

    def year(self, year: int, *, as_of: Day | None = None, page: int = 1, size: int = 100) -> YearAnswer:
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

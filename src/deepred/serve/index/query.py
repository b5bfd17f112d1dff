"""What is asked: words and quoted phrases, filters, and the hits that a search engine gives back.

A query has no syntax but quotes. It becomes the same words as the text (letters and digits, lower case, without
accents, English endings taken off): nothing in it can be an operator, a wildcard or a field of any engine.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day
from deepred.serve.index.contract import DEEPEST, LARGEST_PAGE, LONGEST_QUERY, MODES, BadQueryError

Vector = npt.NDArray[np.float32]

LONGEST_WORD = 40
"""Bytes of a word; longer ones are no words."""
MOST_WORDS = 64
"""Words of a query that are looked for."""
QUOTED = re.compile(r'"([^"]*)"')
_LOCAL = threading.local()


@dataclass(frozen=True, slots=True)
class Words:
    """A query as words, phrases, and the text that an embedding is made of."""

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    text: str

    @property
    def all(self) -> frozenset[str]:
        """Every word, those of phrases too."""
        return frozenset(self.words).union(*self.phrases)


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found; ``as_of`` is resolved: at most the run's cutoff."""

    as_of: Day
    after: Day | None = None
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Unit(NamedTuple):
    """A unit of search, as it is shown."""

    page_id: int
    number: int
    title: str
    section: str
    text: str
    first_known: Day | None
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A unit that was found; ``shown`` where the engine gave it along."""

    unit: int
    score: float
    shown: Unit | None = None


class Engine(Protocol):
    """A search engine with the units of one version. Raises ``UnavailableError``; safe to call from many threads."""

    def find_words(self, words: Words, filters: Filters, offset: int, limit: int) -> tuple[list[Hit], int]:
        """Units by BM25, the best first, and how many match in all."""
        ...

    def find_nearest(self, vector: Vector, filters: Filters, limit: int) -> list[Hit]:
        """Units by the cosine of their vectors, the nearest first."""
        ...

    def show(self, hits: list[Hit]) -> list[Unit]:
        """The units of hits, in their order."""
        ...

    def check(self) -> None:
        """Raise ``UnavailableError`` where it does not answer."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def analyzer() -> Any:
    """The analyzer of text and of queries; one a thread."""
    import tantivy

    found = getattr(_LOCAL, "analyzer", None)
    if found is None:
        builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        for step in (
            tantivy.Filter.remove_long(LONGEST_WORD),
            tantivy.Filter.lowercase(),
            tantivy.Filter.ascii_fold(),
            tantivy.Filter.stemmer("english"),
        ):
            builder = builder.filter(step)
        found = _LOCAL.analyzer = builder.build()
    return found


def words_of(text: str) -> list[str]:
    """The words of a text, as the index has them.

    >>> words_of("The Règlement of 1848, and battles!")
    ['the', 'reglement', 'of', '1848', 'and', 'battl']
    """
    return analyzer().analyze(text)


@lru_cache(maxsize=1 << 15)
def word_of(word: str) -> str:
    """A single word as the index has it; empty if it is none."""
    found = words_of(word)
    return found[0] if len(found) == 1 else ""


def read_query(query: str) -> Words:
    """A query as words and phrases; ``BadQueryError`` for an empty or overlong one.

    >>> read_query('moon "first landing" OR title:*')
    Words(words=('moon', 'or', 'titl'), phrases=(('first', 'land'),), text='moon first landing OR title:*')
    """
    if len(query) > LONGEST_QUERY:
        raise BadQueryError(f"the query has {len(query):,} characters", f"at most {LONGEST_QUERY:,} are read")
    clean = query.encode("utf-8", "replace").decode().replace("\x00", " ")
    if not clean.strip():
        raise BadQueryError("the query is empty", "name a word or two")
    found = [tuple(words_of(phrase)) for phrase in QUOTED.findall(clean)]
    words = dict.fromkeys(words_of(QUOTED.sub(" ", clean)))
    words |= dict.fromkeys(phrase[0] for phrase in found if len(phrase) == 1)
    phrases = tuple(dict.fromkeys(phrase[:MOST_WORDS] for phrase in found if len(phrase) > 1))
    return Words(tuple(words)[:MOST_WORDS], phrases[:MOST_WORDS], " ".join(clean.replace('"', " ").split()))


def check_page(mode: str, page: int, size: int) -> None:
    """Raise ``BadQueryError`` for a mode that there is not, or a page beyond those that can be reached."""
    if mode not in MODES:
        raise BadQueryError(f"there is no mode {mode!r}", f"modes: {', '.join(MODES)}")
    if not 1 <= size <= LARGEST_PAGE:
        raise BadQueryError(f"a page of {size} results", f"from 1 to {LARGEST_PAGE}")
    if page < 1 or page * size > DEEPEST:
        raise BadQueryError(f"page {page} of {size} results", f"the first {DEEPEST:,} results can be reached")

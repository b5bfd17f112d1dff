"""What pages draw: paragraphs with folds that hold what was cut, and the timeline of results above a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from deepred.serve.index.contract import Paragraph, Sentence

MOST_BARS = 60
WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)
"""Years of a bar: the narrowest with which they fit."""


@dataclass(frozen=True)
class Part:
    """A stretch of a sentence, linked or not."""

    text: str
    target: str


@dataclass(frozen=True)
class Kept:
    """A sentence that is told."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Cut:
    """Neighbouring sentences that were cut."""

    sentences: tuple[Sentence, ...]

    @property
    def reasons(self) -> str:
        """Why, each reason once."""
        return ", ".join(dict.fromkeys(sentence.reason for sentence in self.sentences))


def fold(paragraph: Paragraph) -> list[Kept | Cut]:
    """The sentences in order, neighbouring cut ones folded together."""
    found: list[Kept | Cut] = []
    for kept, group in groupby(paragraph.sentences, key=lambda sentence: sentence.kept):
        sentences = tuple(group)
        found += [Kept(tuple(_parts(sentence))) for sentence in sentences] if kept else [Cut(sentences)]
    return found


def _parts(sentence: Sentence) -> Iterator[Part]:
    place = 0
    for link in sorted(sentence.links, key=lambda link: link.start):
        if link.start < place or link.end > len(sentence.text):
            continue  # links may overlap in odd wikitext: the first counts
        if link.start > place:
            yield Part(sentence.text[place : link.start], "")
        yield Part(sentence.text[link.start : link.end], link.target)
        place = link.end
    if place < len(sentence.text):
        yield Part(sentence.text[place:], "")


def is_kept(part: Kept | Cut) -> bool:
    """Whether a part of a paragraph is told."""
    return isinstance(part, Kept)


@dataclass(frozen=True)
class Bar:
    """Results first known from one year to another."""

    first: int
    last: int
    count: int
    share: float
    """Of the highest bar."""


@dataclass(frozen=True)
class Timeline:
    """Bars without gaps, the earliest first."""

    bars: tuple[Bar, ...]
    width: int
    """Years of a bar."""
    dated: int
    """Results with a year."""

    @property
    def first(self) -> int:
        """The first year."""
        return self.bars[0].first

    @property
    def last(self) -> int:
        """The last year."""
        return self.bars[-1].last


def draw(years: Iterable[int]) -> Timeline | None:
    """The bars of some years; None where there are fewer than two different ones.

    >>> [(bar.first, bar.last, bar.count) for bar in draw([1900, 1901, 1901, 1903]).bars]
    [(1900, 1900, 1), (1901, 1901, 2), (1902, 1902, 0), (1903, 1903, 1)]
    """
    counts = Counter(years)
    if len(counts) < 2:
        return None
    low, high = min(counts), max(counts)
    width = next((width for width in WIDTHS if high // width - low // width < MOST_BARS), WIDTHS[-1])
    tallies: Counter[int] = Counter()
    for year, count in counts.items():
        tallies[year // width] += count
    top = max(tallies.values())
    bars = tuple(
        Bar(place * width, place * width + width - 1, tallies[place], tallies[place] / top)
        for place in range(low // width, high // width + 1)
    )
    return Timeline(bars, width, sum(counts.values()))

"""What pages show: days in words, paragraphs with folds that hold what was cut, and the timeline above a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from deepred.base.days import MONTHS, Day, format_day, month_of, year_of
from deepred.dating.evidence import format_interval
from deepred.serve.index.index_records import Paragraph, Sentence
from deepred.serve.iso_days import parse_day

MOST_BARS = 60
WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)
"""Years of a bar: the narrowest with which they fit."""


def format_year(year: int) -> str:
    """A year as people write it: ``format_year(0) == "1 BCE"``."""
    return str(year) if year > 0 else f"{1 - year} BCE"


def span(first: Day | None, last: Day | None) -> str:
    """An interval in words; one without an end has none yet.

    >>> span(19690101, None), span(19690101, 19691231)
    ('since 1969', '1969')
    """
    if first is None or last is not None:
        return format_interval(first, last)
    return f"since {format_year(year_of(first)) if first % 10000 == 101 else format_day(first)}"


def in_words(iso: str) -> str:
    """A day as it is said: ``in_words("1969-07-20") == "20 July 1969"``."""
    value = parse_day(iso)
    return f"{value % 100} {MONTHS[month_of(value) - 1]} {format_year(year_of(value))}"


def mark_snippet(snippet: str, highlights: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A snippet in parts, each with whether it answers the query.

    >>> mark_snippet("a red moon", [(2, 5)])
    [('a ', False), ('red', True), (' moon', False)]
    """
    parts: list[tuple[str, bool]] = []
    place = 0
    for start, end in highlights:
        if start > place:
            parts.append((snippet[place:start], False))
        parts.append((snippet[start:end], True))
        place = end
    return [*parts, (snippet[place:], False)] if place < len(snippet) else parts


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

    def touched(self, since: int | None, until: int | None) -> tuple[int, int] | None:
        """The first and last bar that chosen years touch; None where none were chosen."""
        if since is None and until is None:
            return None
        low = since if since is not None else self.first
        high = until if until is not None else self.last
        places = [place for place, bar in enumerate(self.bars) if bar.last >= low and bar.first <= high]
        return (places[0], places[-1]) if places else None


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

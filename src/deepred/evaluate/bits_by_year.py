"""Likelihood by year: bits per byte of dated sentences, and the mass that a model puts on years after the cutoff.

In: sentences with the day of what they tell (the world's truth, else the latest date that an article's sentence names).
Out: bits and bytes of each under a model. Twin minus model: what the unfiltered arm reads more easily than the filtered
one is what the filter took away, year by year, without any question being asked.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepred.base.days import Day, month_of, year_of
from deepred.base.draws import rank_of
from deepred.base.tables import read_rows
from deepred.evaluate.choices import Scorer
from deepred.evaluate.effective_cutoff import effective_cutoff
from deepred.evaluate.statistics import MIN_FAMILIES, Figure, Resampling, interval

PER_DECADE = 60
"""Sentences scored of each decade: an interval of about a tenth of a bit per byte, in seconds of work."""

CHARACTERS = 240
"""Longer sentences are left out: they must fit the windows of small models."""

SPAN = (150, 45)
"""Years before and after the cutoff's that are looked at."""

ARTICLES = 20_000
"""Articles, evenly drawn, whose sentences are sampled: some 100,000 dated ones."""

SPANS = ("start", "end", "date_start", "date_first", "date_last")
"""Columns of ``sentences-*.parquet`` that say where sentences and dates are."""

PROMPTS = (
    "In", "It was founded in", "It was built in", "He died in", "She was born in", "It was published in",
    "The war ended in", "It opened in", "The school was closed in", "By", "Since", "It was first shown in",
)  # fmt: skip
"""Beginnings that a year continues, of no subject and no era."""

SMOKE = "a smoke signal only: it misleads in both directions, and says nothing of any fact"


@dataclass(frozen=True)
class Dated:
    """A sentence and the day from which it could be told."""

    name: str
    known: Day
    text: str


@dataclass(frozen=True)
class Bits:
    """What a sentence cost a model."""

    name: str
    year: float
    """When it could first be told, with the fraction of the year: 1969.55."""
    bits: float
    size: int
    """Its bytes."""

    @property
    def per_byte(self) -> float:
        """Bits per byte."""
        return self.bits / max(1, self.size)


def dated_sentences(world: Path | None, articles: Path, emergence: Path, cutoff: Day, seed: int) -> list[Dated]:
    """A sample of dated sentences, as many of every decade, the same for every arm."""
    decades: defaultdict[int, list[tuple[int, Dated]]] = defaultdict(list)
    for known, text in _told_in_world(world) if world else _told_in_articles(articles, emergence, cutoff):
        if 0 < len(text) <= CHARACTERS:
            one = Dated(f"{known} {text[:60]}", known, text)
            decades[year_of(known) // 10].append((rank_of(seed, text), one))
    chosen: list[Dated] = []
    for decade in sorted(decades):
        unique = {one.text: (place, one) for place, one in decades[decade]}
        best = sorted(unique.values(), key=lambda entry: entry[0])[:PER_DECADE]
        chosen += [one for _, one in best]
    return chosen


def _told_in_world(world: Path) -> Iterator[tuple[Day, str]]:
    for row in read_rows(world / "truth", "sentences.parquet", ["known", "text"]):
        if row["known"] is not None:
            yield row["known"], row["text"]


def _told_in_articles(articles: Path, emergence: Path, cutoff: Day) -> Iterator[tuple[Day, str]]:
    """The dated sentences of evenly drawn articles."""
    import pyarrow.parquet as pq
    from pyarrow.dataset import dataset

    files = sorted(articles.glob("articles-*.parquet"))
    sizes = [int(pq.read_metadata(path).num_rows) for path in files]
    step = max(1, -(-sum(sizes) // ARTICLES))
    for path, size in zip(files, sizes):
        chosen = range(0, size, step)
        spans = emergence / f"sentences-{path.stem.removeprefix('articles-')}.parquet"
        texts = dataset(path).take(list(chosen), columns=["text"])["text"].to_pylist()
        rows = dataset(spans).take(list(chosen), columns=list(SPANS)).to_pylist()
        for text, row in zip(texts, rows, strict=True):
            yield from _told_in(text, row, cutoff)


def _told_in(text: str, row: dict[str, Any], cutoff: Day) -> Iterator[tuple[Day, str]]:
    """The sentences whose latest date lies within one year of ``SPAN`` and on one side of the cutoff; its last day."""
    edge, dates = year_of(cutoff), row["date_start"]
    for start, end in zip(row["start"], row["end"], strict=True):
        low, high = bisect_left(dates, start), bisect_left(dates, end)
        if low == high:
            continue
        last, first = max(zip(row["date_last"][low:high], row["date_first"][low:high], strict=True))
        if (
            year_of(first) == year_of(last)
            and edge - SPAN[0] <= year_of(last) <= edge + SPAN[1]
            and not first < cutoff <= last
        ):
            yield last, " ".join(text[start:end].split())


def score_sentences(sentences: Sequence[Dated], score: Scorer) -> list[Bits]:
    """The bits of every sentence under a model."""
    found = score([("", one.text) for one in sentences]) if sentences else []
    return [
        Bits(one.name, round(moment(one.known), 3), -value / math.log(2), len(one.text.encode()))
        for one, value in zip(sentences, found, strict=True)
    ]


def moment(known: Day) -> float:
    """A day as a year with its fraction."""
    return year_of(known) + (month_of(known) - 1) / 12 + (known % 100 - 1) / 365


def bits_by_decade(scored: Sequence[Bits], cutoff: Day, how: Resampling) -> list[dict[str, Any]]:
    """Mean bits per byte by decade and side of the cutoff, with intervals over sentences."""
    edge = moment(cutoff)
    groups: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
    for one in scored:
        groups[int(one.year) // 10 * 10, "before" if one.year < edge else "after"].append(one.per_byte)
    return [
        {"decade": decade, "era": era, **mean_interval(np.array(values), how, "sentences").to_json("bits_per_byte")}
        for (decade, era), values in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "before"))
    ]


def twin_minus_model(model: Sequence[Bits], twin: Sequence[Bits], cutoff: Day, how: Resampling) -> dict[str, Any]:
    """How many bits per byte more the twin needs than the model, before and after, and the year from which it falls.

    Below zero the twin reads more easily: it has seen what the model has not.
    """
    known = {one.name: one.per_byte for one in twin}
    pairs = [(one.year, known[one.name] - one.per_byte) for one in model if one.name in known]
    edge = moment(cutoff)
    eras = {
        "before": [value for year, value in pairs if year < edge],
        "after": [value for year, value in pairs if year >= edge],
    }
    decades: defaultdict[int, list[float]] = defaultdict(list)
    for year, value in pairs:
        decades[int(year) // 10 * 10].append(value)
    return {
        **{
            era: mean_interval(np.array(values), how, "sentences").to_json("difference") for era, values in eras.items()
        },
        "by_decade": [
            {"decade": decade, **mean_interval(np.array(values), how, "sentences").to_json("difference")}
            for decade, values in sorted(decades.items())
        ],
        "changepoint": effective_cutoff([year for year, _ in pairs], [value for _, value in pairs], how).to_json(),
    }


def late_mass(score: Scorer, cutoff: Day, how: Resampling) -> dict[str, Any]:
    """The share of the probability of a year that falls on years after the cutoff's, over neutral beginnings."""
    edge = year_of(cutoff)
    years = list(range(max(1, edge - SPAN[0]), edge + SPAN[1] + 1))
    found = np.array(score([(prompt, f" {year}") for prompt in PROMPTS for year in years]), dtype=np.float64)
    chances = np.exp(found.reshape(len(PROMPTS), len(years)))
    late = np.array([year > edge for year in years])
    shares = chances[:, late].sum(axis=1) / np.maximum(chances.sum(axis=1), np.finfo(float).tiny)
    return {**mean_interval(shares, how, "prompts").to_json("mass"), "prompts": len(PROMPTS), "note": SMOKE}


def mean_interval(values: np.ndarray[Any, Any], how: Resampling, what: str) -> Figure:
    """The mean of measures with its interval; too few of them are named by what they are."""
    if len(values) < MIN_FAMILIES:
        return Figure(None, None, None, len(values), f"too few {what}: {len(values)}")
    draws = np.random.default_rng(how.seed).integers(0, len(values), (how.resamples, len(values)))
    low, high = interval(values[draws].mean(axis=1), how.confidence)
    return Figure(float(values.mean()), low, high, len(values))

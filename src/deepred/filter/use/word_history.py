"""When a word came up: its curve by year in the table of terms, the year before which it hardly occurs, its first uses.

In: the folders of the stages ``articles`` and ``emergence``; a word, or two capitalised words. The year is that which
parts the curve best into two rates (maximum likelihood), of those before which the word hardly occurs. A sentence's
dates are not its word's, so a single early one says nothing.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.days import format_day, year_of
from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.filter.emergence import NAMES, TERMS, TITLES
from deepred.filter.first_known import ALWAYS, MISSING, KnownDays, hash_name, hash_title
from deepred.filter.term_years import FIRST_YEAR, UNDATED, YEARS, Terms, buckets_of, find_terms
from deepred.text.word_hashes import find_words

HARDLY = 0.1
"""Share of the expected early sentences up to which a term hardly occurs: of 36 words whose age is known the year found
in 2,000 articles was the same at 0.1 and 0.15, and centuries early at 0.02, where a few wrong dates decide."""
SLIPS = 1
"""Early sentences that may be by mistake: "1024 bytes", a later thing named in an old story."""
CHANCE = 0.05
"""Chance of so few early sentences (Poisson) above which a term that always was cannot be excluded."""
EARLIEST = 5
MOST_ARTICLES = 200_000
"""Articles whose sentences are looked through for the earliest uses at most: about a minute."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """Dated sentences that hold a term, by year, and all occurrences of terms in that year, for its rate."""

    sentences: Ints
    """By ``year - FIRST_YEAR``."""
    totals: Ints
    undated: int
    shared: float
    """Chance that another term of the corpus counts in the same place of the hashed table."""

    def since(self, min_count: int) -> tuple[int | None, float]:
        """The year before which the term hardly occurs, None where no year is shown, and how sure that is.

        Confidence is one less the chance that a term as old as the corpus shows so few early sentences (Poisson).
        """
        before = np.cumsum(self.sentences) - self.sentences
        after = self.sentences.sum() - before
        total_before = np.cumsum(self.totals) - self.totals + 1
        total_after = self.totals.sum() - total_before + 2
        expected = after * (total_before / total_after)
        rare = (after >= min_count) & (before <= np.maximum(SLIPS, HARDLY * expected))
        early, late = np.maximum(before, 0.5) / total_before, np.maximum(after, 0.5) / total_after
        likelihood = np.where(rare, before * np.log(early) + after * np.log(late), -np.inf)
        place = len(likelihood) - 1 - int(np.argmax(likelihood[::-1]))  # the last of years that part it alike
        chance = _poisson_tail(int(before[place]), float(expected[place])) if rare.any() else 1.0
        return (place + FIRST_YEAR, round(1 - chance, 4)) if chance <= CHANCE else (None, 0.0)

    def decades(self) -> list[dict[str, Any]]:
        """From the first decade with such a sentence to the last: how many, and their rate per million terms."""
        held = np.flatnonzero(self.sentences)
        if not len(held):
            return []
        rows: list[dict[str, Any]] = []
        for first in range(int(held[0]) // 10 * 10, int(held[-1]) + 1, 10):
            count, total = int(self.sentences[first : first + 10].sum()), int(self.totals[first : first + 10].sum())
            rate = round(1e6 * count / total, 2) if total else 0.0
            rows.append({"decade": first + FIRST_YEAR, "sentences": count, "per_million": rate})
        return rows


def _poisson_tail(count: int, mean: float) -> float:
    """The chance of at most ``count`` where ``mean`` are expected."""
    if mean <= 0:
        return 1.0
    return min(sum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(count + 1)), 1.0)


def read_curve(terms: Terms, word: str) -> Curve | None:
    """The curve of a word or of two capitalised words; None for what the table does not count."""
    words = find_words(word)
    hashes = find_terms(words)[0][0 if len(words) == 1 else len(words) :]  # words first, then pairs of them
    if len(words) > 2 or len(hashes) != 1:
        return None
    bucket = int(buckets_of(hashes[:1], terms.bits)[0])
    years = terms.keys % YEARS
    chosen = terms.keys // YEARS == bucket
    sentences = np.zeros(YEARS, np.int64)
    sentences[years[chosen]] = terms.numbers[chosen]
    totals = np.bincount(years, weights=terms.numbers, minlength=YEARS).astype(np.int64)
    taken = len(np.unique(terms.keys // YEARS)) / (1 << terms.bits)
    return Curve(sentences[:UNDATED], totals[:UNDATED], int(sentences[UNDATED]), round(taken, 4))


def tell_history(word: str, articles: Path, emergence: Path, most: int = EARLIEST) -> dict[str, Any]:
    """All that a run knows of a word, as JSON: counts, curve, year and confidence, names and titles, first uses."""
    terms = Terms.load(emergence / TERMS)
    word = " ".join(word.split())
    if not len(find_words(word)):
        raise UserError(f"{word!r} holds no word", "name a word or a name")
    curve = read_curve(terms, word)
    since, confidence = curve.since(terms.min_count) if curve else (None, 0.0)
    name, title = hash_name(word), hash_title(word)
    found, scanned = find_earliest(word, articles, emergence, most)
    return {
        "word": word,
        "since": since,
        "confidence": confidence,
        "dated_sentences": int(curve.sentences.sum()) if curve else None,
        "undated_sentences": curve.undated if curve else None,
        "shared": curve.shared if curve else None,
        "decades": curve.decades() if curve else [],
        "name_known": _known(KnownDays.load(emergence / NAMES), name),
        "title_known": _known(KnownDays.load(emergence / TITLES), title),
        "earliest": found,
        "articles_scanned": scanned,
    }


def _known(table: KnownDays, value: int | None) -> str | None:
    """From when a name or a title is known: a day, ``always`` (it has no date), or None where there is none."""
    day = MISSING if value is None else int(table.look_up(np.array([value], np.uint64))[0])
    return None if day == MISSING else "always" if day == ALWAYS else format_day(day)


def find_earliest(word: str, articles: Path, emergence: Path, most: int) -> tuple[list[dict[str, Any]], int]:
    """The ``most`` sentences with the word that can have been written first by their own dates, and articles scanned.

    As in the curve, the latest date of a sentence is its own.
    """
    spaced = r"\W+".join(map(re.escape, word.split()))
    capital = len(word.split()) > 1
    pattern = re.compile(rf"(?<!\w){spaced}(?!\w)", 0 if capital else re.IGNORECASE)
    heap: list[tuple[int, int, int, dict[str, Any]]] = []
    scanned = 0
    for article, row in _holding(word.split()[0], articles, emergence):
        if article is None:
            scanned += row["articles"]
            continue
        for start, end, year in _dated_uses(article["text"], row, pattern):
            entry = (-year, -article["page_id"], -start, {})
            if len(heap) < most or entry > heap[0]:
                shown = {"year": year, "title": article["title"], "sentence": article["text"][start:end][:1000]}
                heapq.heappush(heap, (*entry[:3], shown))
                if len(heap) > most:
                    heapq.heappop(heap)
    return [shown for *_, shown in sorted(heap, key=lambda entry: entry[:3], reverse=True)], scanned


def _dated_uses(text: str, row: dict[str, Any], pattern: re.Pattern[str]) -> Iterator[tuple[int, int, int]]:
    """The sentences that hold the pattern and a date, with the year of their latest."""
    starts = np.array(row["start"], np.int64)
    dates = np.array(row["date_start"], np.int64)
    seen = -1
    for match in pattern.finditer(text):
        place = int(np.searchsorted(starts, match.start(), "right")) - 1
        if place < 0 or place == seen or match.start() >= row["end"][place]:
            continue
        seen = place
        low, high = np.searchsorted(dates, [row["start"][place], row["end"][place]])
        if low < high:
            yield row["start"][place], row["end"][place], max(map(year_of, row["date_first"][low:high]))


def _holding(word: str, articles: Path, emergence: Path) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """The articles whose text holds the letters of a word, each with its sentences; and how many were scanned."""
    import pyarrow.compute
    import pyarrow.parquet as pq

    compute: Any = pyarrow.compute
    scanned = 0
    for path in sorted(articles.glob("articles-*.parquet")):
        rows = read_rows(emergence, f"sentences-{path.stem.removeprefix('articles-')}.parquet")
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256, columns=["page_id", "title", "text"]):
                holds = compute.match_substring(batch.column("text"), word, ignore_case=True).to_pylist()
                for place, (held, row) in enumerate(zip(holds, rows)):
                    if held:
                        yield batch.slice(place, 1).to_pylist()[0], row
                scanned += len(holds)
                yield None, {"articles": len(holds)}
                if scanned >= MOST_ARTICLES:
                    return

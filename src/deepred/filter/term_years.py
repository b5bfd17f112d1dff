"""By year, the dated sentences that hold a word or a pair of names: a hashed table that any cutoff cuts in two.

A *term* is a lower-cased word, or two neighbouring capitalised words. A key is ``bucket * YEARS + year``; counting,
merging and cutting are sorts and sums over arrays of keys, so the table's order and content never depend on the order
of the articles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepred.base.days import Day, year_of
from deepred.base.errors import FaultError
from deepred.base.files import replaced
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Hashes, Ints, Words, hash_runs

_LARGEST = 1 << 32  # no bucket reaches it
FIRST_YEAR, YEARS = 1000, 1200
"""Years are clamped to 1000..2198; the last place holds sentences without a date."""
UNDATED = YEARS - 1

Table = tuple[Ints, Ints]
"""Sorted unique keys, and how many sentences each stands for."""


def find_terms(words: Words) -> tuple[Hashes, Ints]:
    """The hashes of a text's terms and the word at which each begins; numbers are no terms."""
    plain = np.flatnonzero(~words.number)
    both = words.capital[:-1] & words.capital[1:] & ~words.number[:-1] & ~words.number[1:]
    near = both & (words.starts[1:] - words.ends[:-1] <= 1) if len(words) > 1 else both
    pairs = np.flatnonzero(near)
    return np.concatenate([words.hashes[plain], hash_runs(words.hashes, pairs, 2)]), np.concatenate([plain, pairs])


def buckets_of(hashes: Hashes, bits: int) -> Ints:
    """The places of hashes in a table of ``2 ** bits``."""
    return (hashes >> np.uint64(64 - bits)).astype(np.int64)


def sentence_of(words: Words, segments: Segments) -> Ints:
    """The sentence in which each word stands; -1 in headings."""
    if not len(segments):
        return np.full(len(words), -1, np.int64)
    places = np.searchsorted(np.array(segments.starts), words.starts, "right") - 1
    inside = words.starts < np.array(segments.ends)[np.maximum(places, 0)]
    return np.where((places >= 0) & inside, places, -1)


def count_terms(words: Words, segments: Segments, years: list[int | None], bits: int) -> Table:
    """An article's table: how many of its sentences of each year hold each term."""
    hashes, at = find_terms(words)
    sentence = sentence_of(words, segments)[at]
    inside = sentence >= 0
    places = np.array(
        [UNDATED if year is None else min(max(year - FIRST_YEAR, 0), UNDATED - 1) for year in years], np.int64
    )
    held = np.unique((sentence[inside] << bits) | buckets_of(hashes[inside], bits))
    keys, numbers = np.unique((held & ((1 << bits) - 1)) * YEARS + places[held >> bits], return_counts=True)
    return keys, numbers.astype(np.int64)


def merge_counts(one: Table, other: Table) -> Table:
    """The sum of two tables."""
    keys, inverse = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    numbers = np.zeros(len(keys), np.int64)
    np.add.at(numbers, inverse, np.concatenate([one[1], other[1]]))
    return keys, numbers


@dataclass(frozen=True, slots=True)
class Terms:
    """The merged table of a corpus."""

    keys: Ints
    numbers: Ints
    bits: int
    min_count: int
    """Dated sentences below which a term says nothing."""

    @staticmethod
    def of(table: Table, bits: int, min_count: int) -> Terms:
        """The table of counts with ``2 ** bits`` buckets."""
        return Terms(table[0], table[1], bits, min_count)

    def save(self, path: Path) -> None:
        """Write bucket, year and sentences as Parquet; the year is null for sentences without a date."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        years = self.keys % YEARS
        table = pa.table(
            {
                "bucket": pa.array((self.keys // YEARS).astype(np.int32)),
                "year": pa.array((years + FIRST_YEAR).astype(np.int16), mask=years == UNDATED),
                "sentences": pa.array(self.numbers.astype(np.int32)),
            },
            metadata={"bits": str(self.bits), "min_count": str(self.min_count)},
        )
        with replaced(path) as partial:
            pq.write_table(table, partial, compression="zstd")

    @staticmethod
    def load(path: Path) -> Terms:
        """The table that ``save`` wrote."""
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        if b"bits" not in metadata or b"min_count" not in metadata:
            raise FaultError(f"{path} is no table of terms", "run the stage emergence again")
        years = table["year"].fill_null(FIRST_YEAR + UNDATED).to_numpy().astype(np.int64) - FIRST_YEAR
        keys = table["bucket"].to_numpy().astype(np.int64) * YEARS + years
        sentences = table["sentences"].to_numpy().astype(np.int64)
        return Terms(keys, sentences, int(metadata[b"bits"]), int(metadata[b"min_count"]))

    def cut(self, cutoff: Day) -> Split:
        """The table as counts on either side of a cutoff; the cutoff's own year counts as after."""
        before, after, undated = _sides((self.keys, self.numbers), cutoff)
        sums = [
            np.bincount(self.keys // YEARS, weights=side, minlength=1 << self.bits) for side in (before, after, undated)
        ]
        before, after, undated = (side.astype(np.int64) for side in sums)
        return Split(before, after, undated, int(before.sum()) + 1, int(after.sum()) + 1, self.bits)


def _sides(table: Table, cutoff: Day) -> tuple[Ints, Ints, Ints]:
    keys, numbers = table
    years = keys % YEARS
    undated: Flags = years == UNDATED
    late: Flags = ~undated & (years + FIRST_YEAR >= year_of(cutoff))
    return numbers * (~late & ~undated), numbers * late, numbers * undated


@dataclass(frozen=True, slots=True)
class Split:
    """Per bucket: sentences dated before the cutoff, after it, and undated; and the sums of the first two."""

    before: Ints
    after: Ints
    undated: Ints
    total_before: int
    total_after: int
    bits: int

    def without(self, own: Own, buckets: Ints) -> tuple[Ints, Ints]:
        """The counts before and after of some buckets, less those of one article: what the others say."""
        if not len(own.buckets):
            return self.before[buckets], self.after[buckets]
        places = np.minimum(np.searchsorted(own.buckets, buckets), len(own.buckets) - 1)
        same = own.buckets[places] == buckets
        before, after = own.before[places] * same, own.after[places] * same
        return np.maximum(self.before[buckets] - before, 0), np.maximum(self.after[buckets] - after, 0)


@dataclass(frozen=True, slots=True)
class Own:
    """Of one article's dated sentences: sorted buckets, and how many sentences before and after a cutoff hold each."""

    buckets: Ints
    before: Ints
    after: Ints


def count_own(buckets: Ints, sentence: Ints, years: list[int | None], cutoff: Day) -> Own:
    """What an article adds to a table of terms, as ``Terms.cut`` sees it; ``sentence`` names that of each term."""
    cut = year_of(cutoff)
    side = np.array([0 if year is None else 2 if year >= cut else 1 for year in [*years, None]], np.int8)
    dated = side[sentence] > 0  # -1, which is none, takes the last
    pairs = np.unique(sentence[dated] * _LARGEST + buckets[dated])
    sides = side[pairs // _LARGEST]
    held, inverse = np.unique(pairs % _LARGEST, return_inverse=True)
    before, after = (np.bincount(inverse, weights=sides == n, minlength=len(held)).astype(np.int64) for n in (1, 2))
    return Own(held, before, after)

"""What speaks for and against a sentence: its dates, links, names, terms and openings, as one array each.

In: an article, its row of ``sentences-*.parquet``, and the tables of the stage ``emergence`` cut at a day. Out: per
sentence what was found; nothing is decided here. The article's own sentences are taken out of the statistics of terms
before it is judged by them.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepred.base.days import Day, year_of
from deepred.filter.first_known import LONGEST_NAME, MISSING, PROPER, Days, KnownDays
from deepred.filter.term_years import Own, Split, buckets_of, count_own, find_terms, sentence_of
from deepred.filter.wording import read_wording
from deepred.text.dates.find import Precision
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Floats, Ints, Words, find_words, hash_runs

FILTER_BITS = 22  # of the bitmap that spares most look-ups of names
NAME_TOLERANCE = 0.05  # share of early sentences up to which a late title's single word still stands for it
SIGNIFICANT = 3.0  # early sentences that a term would show by chance (Poisson: 5%) if it were as old as the corpus


@dataclass(frozen=True)
class Horizon:
    """The tables of ``emergence`` as seen from one cutoff."""

    cutoff: Day
    keep_straddling: bool
    names: KnownDays
    present: Flags
    """Bitmap of the names' hashes."""
    split: Split
    min_count: int

    @staticmethod
    def of(cutoff: Day, straddling: str, names: KnownDays, split: Split, min_count: int) -> Horizon:
        """The tables, with the bitmap that speeds up finding names."""
        present = np.zeros(1 << FILTER_BITS, np.bool_)
        present[(names.hashes >> np.uint64(64 - FILTER_BITS)).astype(np.int64)] = True
        return Horizon(cutoff, straddling == "keep", names, present, split, min_count)

    def is_late(self, days: Days) -> Flags:
        """Whether days lie after the cutoff; the first of January of its year stands for the whole, straddling year."""
        late = days >= self.cutoff
        if not self.keep_straddling:
            late |= days == year_of(self.cutoff) * 10000 + 101
        return late & (days != MISSING)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Per sentence of an article, what was found in it."""

    late_date: Flags
    """A date on or after the cutoff, or across it where these are dropped."""
    early_date: Flags
    """Dates, all before the cutoff."""
    carried: Ints
    """What dates without a year tell that carry on one before them: 1 after the cutoff, -1 before, else 0."""
    carried_hidden: Ints
    """The same, with named months too, as if they named no year: what a model may look at."""
    late_link: Flags
    late_name: Flags
    term: Floats
    """The strongest emergence of a word or a pair of names: log ratio of its rates after and before the cutoff."""
    emergent: Flags
    """A term with enough counts that hardly occurs before the cutoff."""
    opening: Flags
    """Opens with a word that leans on the sentence before it."""
    definite: Flags
    """Opens with "The" and a common noun."""
    leaning: Flags
    """Holds a pronoun, or a noun that stands for a thing named before."""
    early_name: Flags
    """Names something that was known before the cutoff."""
    status: Flags
    """Speaks of the present of its writer."""
    late_headings: frozenset[int]
    """Headings with a later date or name."""


def gather_evidence(
    article: dict[str, Any], row: dict[str, Any], horizon: Horizon, words: Words | None = None
) -> tuple[Segments, Evidence]:
    """The sentences of an article and what speaks for and against each; ``words`` are its text's, if known already."""
    text = article["text"]
    segments = segments_of(row)
    count = len(segments)
    words = find_words(text) if words is None else words
    sentence = sentence_of(words, segments)
    late_date, early_date = read_dates(row, segments, horizon)
    carried, carried_hidden = read_carried(row, segments, horizon)
    late_link = np.zeros(count, np.bool_)
    if row["link_start"]:
        late = horizon.is_late(np.array(row["link_known"], np.int32))
        at = _places(segments, row["link_start"])
        late_link[at[late & (at >= 0)]] = True
    hashes, at = find_terms(words)
    buckets = buckets_of(hashes, horizon.split.bits)
    own = count_own(buckets, sentence[at], _years(row, segments), horizon.cutoff)
    scores, emergent = score_terms(buckets, horizon, own)
    late_name = np.zeros(count, np.bool_)
    named, early = find_names(words, sentence, horizon, own)
    late_name[sentence[named[sentence[named] >= 0]]] = True
    early_name = np.zeros(count, np.bool_)
    early_name[sentence[early & (sentence >= 0)]] = True
    emergent &= ~early[at]  # the word of a name that is known to be early is no late term
    inside = sentence[at] >= 0
    term = np.zeros(count, np.float32)
    np.maximum.at(term, sentence[at[inside]], scores[inside])
    flagged = np.zeros(count, np.bool_)
    flagged[sentence[at[inside & emergent]]] = True
    wording = read_wording(text, words, sentence, segments)
    return segments, Evidence(
        late_date=late_date,
        early_date=early_date,
        carried=carried,
        carried_hidden=carried_hidden,
        late_link=late_link,
        late_name=late_name,
        term=term,
        emergent=flagged,
        early_name=early_name,
        late_headings=_late_headings(row, segments, words, named, horizon),
        **wording._asdict(),
    )


def _late_headings(
    row: dict[str, Any], segments: Segments, words: Words, named: Ints, horizon: Horizon
) -> frozenset[int]:
    """The headings that hold a later date or the name of what was unknown."""
    late: set[int] = set()
    starts = [start for start, _ in segments.headings]
    marks = [
        start
        for start, first, last in zip(row["date_start"], row["date_first"], row["date_last"])
        if (first >= horizon.cutoff if horizon.keep_straddling else last >= horizon.cutoff)
    ]
    for mark in [*marks, *words.starts[named].tolist()]:
        place = bisect_right(starts, mark) - 1
        if place >= 0 and mark < segments.headings[place][1]:
            late.add(place)
    return frozenset(late)


def segments_of(row: dict[str, Any]) -> Segments:
    """The segments that a row of ``sentences-*.parquet`` holds."""
    headings = list(zip(row["heading_start"], row["heading_end"]))
    return Segments(row["start"], row["end"], row["paragraph"], row["section"], headings)


def _places(segments: Segments, offsets: list[int]) -> Ints:
    """The sentence that holds each offset; -1 in headings."""
    at = np.array(offsets, np.int64)
    places = np.searchsorted(np.array(segments.starts, np.int64), at, "right") - 1
    inside = at < np.array([*segments.ends, 0], np.int64)[places]
    return np.where(inside, places, -1)


def read_dates(row: dict[str, Any], segments: Segments, horizon: Horizon) -> tuple[Flags, Flags]:
    """Which sentences name a late date, and which only early ones."""
    late, early = np.zeros(len(segments), np.bool_), np.zeros(len(segments), np.bool_)
    if row["date_start"]:
        at = _places(segments, row["date_start"])
        first, last = np.array(row["date_first"], np.int64), np.array(row["date_last"], np.int64)
        before = last < horizon.cutoff
        after = first >= horizon.cutoff
        inside = at >= 0
        late[at[inside & (after if horizon.keep_straddling else ~before)]] = True
        early[at[inside & before]] = True
    return late, early & ~late


def read_carried(row: dict[str, Any], segments: Segments, horizon: Horizon) -> tuple[Ints, Ints]:
    """The side of the dates that every sentence carries, later ones over earlier: without and with named ones."""
    sides = np.zeros((2, len(segments)), np.int64)
    if row["carried_start"]:
        at = _places(segments, row["carried_start"])
        first, last = np.array(row["carried_first"], np.int64), np.array(row["carried_last"], np.int64)
        late = first >= horizon.cutoff if horizon.keep_straddling else last >= horizon.cutoff
        carried = at >= 0
        for number, chosen in ((0, carried & ~np.array(row["carried_named"], np.bool_)), (1, carried)):
            sides[number, at[chosen & ~late]] = -1
            sides[number, at[chosen & late]] = 1
    return sides[0], sides[1]


def _years(row: dict[str, Any], segments: Segments) -> list[int | None]:
    """As ``emergence.sentence_years`` read them, from the row."""
    years: list[int | None] = [None] * len(segments)
    if row["date_start"]:
        at = _places(segments, row["date_start"]).tolist()
        for place, first, precision in zip(at, row["date_first"], row["date_precision"]):
            if place >= 0 and precision >= Precision.DECADE:
                known = years[place]
                years[place] = max(year_of(first), known) if known is not None else year_of(first)
    return years


def score_terms(buckets: Ints, horizon: Horizon, own: Own) -> tuple[Floats, Flags]:
    """Per term, the log ratio of its rates after and before the cutoff, and whether it is emergent."""
    split = horizon.split
    before, after = split.without(own, buckets)
    total_before, total_after = float(split.total_before), float(split.total_after)
    expected = after * (total_before / total_after)
    ratio = np.log((after + 0.5) / total_after) - np.log((before + 0.5) / total_before)
    emergent = (after >= horizon.min_count) & (expected >= SIGNIFICANT) & (before <= 0.02 * expected)
    return np.where(after + before >= horizon.min_count, ratio, 0).astype(np.float32), emergent


def find_names(words: Words, sentence: Ints, horizon: Horizon, own: Own) -> tuple[Ints, Flags]:
    """The words at which names first known after the cutoff begin, and which words belong to names known before it.

    The longest name wins: "New Carthage Bridge" is no mention of New Carthage.
    """
    count = len(words)
    early = np.zeros(count, np.bool_)
    taken = np.zeros(count, np.bool_)
    late: list[int] = []
    if not len(horizon.names.hashes):
        return np.zeros(0, np.int64), early
    capitals = np.concatenate([[0], np.cumsum(words.capital)])
    for length in range(min(LONGEST_NAME, count), 0, -1):
        firsts = np.arange(count - length + 1)
        lasts = firsts + length - 1
        tight = sentence[firsts] == sentence[lasts]
        tight &= words.ends[lasts] - words.starts[firsts] <= 16 * length + 16
        proper = words.capital[firsts] & (capitals[lasts + 1] - capitals[firsts] >= min(length, 2))
        hashes = hash_runs(words.hashes, firsts, length)
        for salt, chosen in ((PROPER, tight & proper), (0, tight)):
            if length == 1 and not salt:
                continue
            keys = hashes[chosen] ^ np.uint64(salt)
            likely = horizon.present[(keys >> np.uint64(64 - FILTER_BITS)).astype(np.int64)]
            days = horizon.names.look_up(keys[likely])
            found, days = firsts[chosen][likely][days != MISSING], days[days != MISSING]
            is_late = horizon.is_late(days)
            if length == 1 and len(found):
                is_late &= _is_distinctive(words, found, horizon, own)
            for first, after in zip(found.tolist(), is_late.tolist()):
                if not taken[first : first + length].any():
                    taken[first : first + length] = True
                    if after:
                        late.append(first)
                    else:
                        early[first : first + length] = True
    return np.array(sorted(late), np.int64), early


def _is_distinctive(words: Words, found: Ints, horizon: Horizon, own: Own) -> Flags:
    """Whether a single word hardly occurs in early sentences, so that it stands for the late title of that name."""
    buckets = buckets_of(words.hashes[found], horizon.split.bits)
    before, after = horizon.split.without(own, buckets)
    return before <= NAME_TOLERANCE * (before + after)

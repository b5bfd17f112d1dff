"""From which day a sentence can have been told: what ``as_of`` goes by, for days earlier than the run's cutoff.

In: an article, its row of ``sentences-*.parquet`` and the tables of the stage ``emergence``. Out: a day per sentence
and per heading. It is the latest of

- the day from which the article's subject was known;
- the last day of every date in the sentence (the first, where the run keeps straddling dates): "1955" is 31 December;
- the days from which what it links to, and what it names as a proper name, was known;
- where the sentence has no date: the year in which the latest of its words came into use (the filter's own rule, see
  ``onsets``), and the day of the sentence before it in its paragraph, on which it may lean.

This is the filter's direct evidence, without the fitted model, which knows one cutoff only. A sentence that the filter
kept although its day lies after the cutoff (it follows one that was cut, and may lean on it) is not told either.

Units of search come of these days: a paragraph as it reads as of a day. One whose sentences have different days is
several units, each with the sentences told from its ``day`` on and valid up to and including ``until``; as of any day
exactly one of them is found (``day < as_of <= until``). So words, counts and ranks come from text that is told, never
from a later sentence beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day, year_of
from deepred.dating.evidence import PERIOD
from deepred.filter.emergence import NAMES, TERMS, TITLES
from deepred.filter.first_known import ALWAYS, LONGEST_NAME, MISSING, PROPER, KnownDays, hash_title
from deepred.filter.sentence_evidence import FILTER_BITS, NAME_TOLERANCE, SIGNIFICANT, segments_of
from deepred.filter.term_years import FIRST_YEAR, UNDATED, YEARS, Terms, buckets_of, find_terms
from deepred.text.word_hashes import Flags, Hashes, Ints, Words, find_words, hash_runs

Years = npt.NDArray[np.int16]

MOST_BEFORE = 0.02
"""Share of the occurrences expected before a year up to which a term is new then, as in the filter's evidence."""
NEVER: Day = 2**31 - 1
"""The day of what is not told at any ``as_of``."""
MOST_UNITS = 4
"""Units of a paragraph at most: of more days, neighbouring ones are taken together, at the later of them."""


@dataclass(frozen=True)
class Calendar:
    """The tables of ``emergence``, asked for the days of sentences."""

    cutoff: Day
    keep_straddling: bool
    titles: KnownDays
    names: KnownDays
    terms: Terms
    onset: Years
    """Per bucket of terms, the year before which its words hardly occur; 0 where that is not known."""
    present: Flags
    """Bitmap of the names' hashes: most words of a text are no names."""

    @staticmethod
    def load(emergence: Path, cutoff: Day, straddling: str) -> Calendar:
        """The tables of a run."""
        names = KnownDays.load(emergence / NAMES)
        present = np.zeros(1 << FILTER_BITS, np.bool_)
        present[_places(names.hashes)] = True
        terms = Terms.load(emergence / TERMS)
        titles = KnownDays.load(emergence / TITLES)
        return Calendar(cutoff, straddling == "keep", titles, names, terms, onsets(terms), present)

    @property
    def undated(self) -> Day:
        """The day of an article that nothing dates: told at the cutoff, and at no earlier day."""
        return self.cutoff - 1

    def article_day(self, dated: dict[str, Any]) -> Day:
        """The day from which an article is told, by its row of ``dates-*.parquet``."""
        known: Day | None = dated["first_known"]
        if known is None:
            return self.undated
        deciding: dict[str, Any] = dated["evidence"][0] if dated["evidence"] else {"kind": PERIOD, "last": None}
        if self.keep_straddling or deciding["kind"] == PERIOD or deciding["last"] is None:
            return self.whole(known)
        return max(known, deciding["last"])

    def whole(self, day: Day) -> Day:
        """A day that a table of known days gives: the first of January stands for its whole year."""
        return day + 1130 if not self.keep_straddling and day % 10000 == 101 else day

    def title_day(self, title: str) -> Day | None:
        """The day from which what a title names was known; None where nothing dates it, or there is no such article."""
        day = int(self.titles.look_up(np.array([hash_title(title)], np.uint64))[0])
        return None if day in (MISSING, ALWAYS) else self.whole(day)

    def sentence_days(self, article: dict[str, Any], row: dict[str, Any], base: Day) -> tuple[list[Day], list[Day]]:
        """The days of an article's sentences, and of its headings; ``base`` is the article's own."""
        segments = segments_of(row)
        count = len(segments)
        spans = _Spans(
            np.array([*segments.starts, *row["heading_start"]], np.int64),
            np.array([*segments.ends, *row["heading_end"]], np.int64),
        )
        days = np.full(len(spans.starts), base, np.int64)
        is_dated = np.zeros(len(days), np.bool_)
        bound = row["date_first"] if self.keep_straddling else row["date_last"]
        at = spans.of(np.array(row["date_start"], np.int64))
        np.maximum.at(days, at[at >= 0], np.array(bound, np.int64)[at >= 0])
        is_dated[at[at >= 0]] = True
        carried = np.array(row["carried_first" if self.keep_straddling else "carried_last"], np.int64)
        at = spans.of(np.array(row["carried_start"], np.int64))
        chosen = (at >= 0) & ~is_dated[at] & ~np.array(row["carried_named"], np.bool_)
        np.maximum.at(days, at[chosen], carried[chosen])
        linked = spans.of(np.array(row["link_start"], np.int64)).tolist()
        for target, day in zip(linked, row["link_known"]):
            if target >= 0 and day not in (MISSING, ALWAYS):
                days[target] = max(days[target], self.whole(day))
        words = find_words(article["text"])
        place = spans.of(words.starts)
        named, taken = self._named_days(words, place)
        for word, day in named:
            days[place[word]] = max(days[place[word]], self.whole(day))
        self._raise_by_terms(words, place, ~taken, is_dated, days)
        found, paragraphs = days[:count].tolist(), segments.paragraphs
        for i in range(1, count):
            if not is_dated[i] and paragraphs[i] == paragraphs[i - 1]:
                found[i] = max(found[i], found[i - 1])
        return found, days[count:].tolist()

    def _raise_by_terms(self, words: Words, place: Ints, free: Flags, is_dated: Flags, days: Ints) -> None:
        """Raise the days of sentences without a date to the years in which their words came into use."""
        hashes, at = find_terms(words)
        years = self.onset[buckets_of(hashes, self.terms.bits)]
        chosen = (years > 0) & free[at] & (place[at] >= 0)
        at, years = place[at[chosen]], years[chosen]
        undated = ~is_dated[at]
        np.maximum.at(days, at[undated], years[undated].astype(np.int64) * 10000 + 1231)

    def _named_days(self, words: Words, sentence: Ints) -> tuple[list[tuple[int, Day]], Flags]:
        """The words at which proper names begin, with the day from which what they name was known; the longest name
        wins. And which words belong to names.
        """
        count = len(words)
        taken = np.zeros(count, np.bool_)
        found: list[tuple[int, Day]] = []
        capitals = np.concatenate([[0], np.cumsum(words.capital)])
        for length in range(min(LONGEST_NAME, count), 0, -1):
            firsts = np.arange(count - length + 1)
            lasts = firsts + length - 1
            proper = words.capital[firsts] & (capitals[lasts + 1] - capitals[firsts] >= min(length, 2))
            proper &= (sentence[firsts] == sentence[lasts]) & (sentence[firsts] >= 0)
            firsts = firsts[proper & (words.ends[lasts] - words.starts[firsts] <= 16 * length + 16)]
            keys = hash_runs(words.hashes, firsts, length) ^ np.uint64(PROPER)
            likely = self.present[_places(keys)]
            days = self.names.look_up(keys[likely])
            for first, day in zip(firsts[likely].tolist(), days.tolist()):
                if day == MISSING or taken[first : first + length].any():
                    continue
                if length == 1 and day != ALWAYS and not self._is_distinctive(int(words.hashes[first]), year_of(day)):
                    continue
                taken[first : first + length] = True
                if day != ALWAYS:
                    found.append((first, day))
        return found, taken

    def _is_distinctive(self, word: int, year: int) -> bool:
        """Whether a single word hardly occurs in sentences of earlier years, so that it stands for the name."""
        bucket = word >> (64 - self.terms.bits)
        low, high = np.searchsorted(self.terms.keys, [bucket * YEARS, bucket * YEARS + UNDATED])
        years, numbers = self.terms.keys[low:high] % YEARS + FIRST_YEAR, self.terms.numbers[low:high]
        return int(numbers[years < year].sum()) <= NAME_TOLERANCE * int(numbers.sum())


def _places(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - FILTER_BITS)).astype(np.int64)


@dataclass(frozen=True)
class _Spans:
    """Sentences and headings by their offsets."""

    starts: Ints
    ends: Ints

    def of(self, offsets: Ints) -> Ints:
        """The span that holds each offset; -1 outside all."""
        order = np.argsort(self.starts, kind="stable")
        if not len(order):
            return np.full(len(offsets), -1, np.int64)
        places = order[np.maximum(np.searchsorted(self.starts[order], offsets, "right") - 1, 0)]
        return np.where((self.starts[places] <= offsets) & (offsets < self.ends[places]), places, -1)


def onsets(terms: Terms) -> Years:
    """Per bucket, the last year at which the filter would call the term new: it hardly occurs in earlier sentences,
    although it would by chance if it were as old as the corpus. 0 where there is none.
    """
    year = terms.keys % YEARS
    dated = year != UNDATED
    bucket, year, numbers = terms.keys[dated] // YEARS, year[dated], terms.numbers[dated]
    by_year = np.concatenate([[0], np.cumsum(np.bincount(year, weights=numbers, minlength=YEARS))])
    running = np.cumsum(numbers) - numbers
    first = np.searchsorted(bucket, bucket)
    total = np.bincount(bucket, weights=numbers, minlength=1 << terms.bits)
    before = running - running[first] if len(running) else running
    after = total[bucket] - before
    expected = after * ((by_year[year] + 1) / (by_year[-1] - by_year[year] + 1))
    new = (after >= terms.min_count) & (expected >= SIGNIFICANT) & (before <= MOST_BEFORE * expected)
    found = np.zeros(1 << terms.bits, np.int16)
    np.maximum.at(found, bucket[new], (year[new] + FIRST_YEAR).astype(np.int16))
    return found


def paragraph_units(text: str, spans: list[list[Any]], cutoff: Day) -> list[dict[str, Any]]:
    """The units of a paragraph by its sentences ``[start, end, day, reason, probability]``; none without one that is
    kept and told at the cutoff.

    >>> sentences = [[0, 8, 18501231, "", None], [9, 17, 19551231, "", None], [18, 26, 19600101, "date", 0.97]]
    >>> for unit in paragraph_units("He came. He went. He spoke.", sentences, 19690720):
    ...     print(unit["day"], unit["until"], unit["text"])
    18501231 19551231 He came.
    19551231 2147483647 He came. He went.
    """
    kept = [(start, end, day) for start, end, day, reason, _ in spans if not reason and day < cutoff]
    days = _bounded(sorted({day for _, _, day in kept}))
    found: list[dict[str, Any]] = []
    for place, day in enumerate(days):
        shown = " ".join(text[start:end] for start, end, own in kept if own <= day)
        until = days[place + 1] if place + 1 < len(days) else NEVER
        found.append({"text": " ".join(shown.split()), "day": day, "until": until})
    return found


def _bounded(days: list[Day]) -> list[Day]:
    """At most ``MOST_UNITS`` of the days, the last among them.

    >>> _bounded([1, 2, 3, 4, 5, 6, 7])
    [2, 4, 6, 7]
    """
    count = len(days)
    if count <= MOST_UNITS:
        return days
    return [days[(count * (place + 1) + MOST_UNITS - 1) // MOST_UNITS - 1] for place in range(MOST_UNITS)]

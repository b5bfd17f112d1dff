"""A sentence as numbers: its hashed words for a linear model, and what stands around it for a small classifier on top.

Grams are words and pairs of words with everything that is a date or a number masked: what a model over them learns is
how late sentences sound, never which year they name. Features come from an article's segments, the scores of its
sentences by their grams, its evidence and dates: one row a sentence, which its own date never enters, so that the
classifier can learn from dated sentences and judge undated ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day, year_of
from deepred.filter.sentence_evidence import Evidence
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Floats, Hashes, Ints, Words, hash_runs

MOST_BITS = 23
LEAST_BITS = 16
LONGEST = 2
"""Words of a gram at most: three-word grams are nearly all new, and their collisions cost more than they tell."""
_MASK = np.uint64(0x6D61736B)
_NUMBER = np.uint64(0x6E756D62)

Matrix = npt.NDArray[np.float32]

SHARE_PRIOR = 1.0  # dated sentences that a share starts from, at the article's own share or one half
DISTANCE = 4.0  # sentences over which a neighbouring date loses most of its say


def bits_for(articles: int) -> int:
    """The size of the table of grams, as a power of two, for a number of articles to learn from."""
    return min(max(articles.bit_length() + 10, LEAST_BITS), MOST_BITS)


def find_grams(words: Words, sentence: Ints, row: dict[str, Any], bits: int) -> tuple[Ints, Ints]:
    """Columns (below ``2**bits``) and sentences of a text's grams.

    ``row`` gives the dates to mask; headings are left out.
    """
    hashes = mask_words(words, row)
    columns: list[Ints] = []
    rows: list[Ints] = []
    for length in range(1, LONGEST + 1):
        firsts = np.arange(max(len(words) - length + 1, 0))
        held = sentence[firsts]
        firsts = firsts[(held >= 0) & (held == sentence[firsts + length - 1])]
        grams = hashes[firsts] if length == 1 else hash_runs(hashes, firsts, length)
        columns.append((grams >> np.uint64(64 - bits)).astype(np.int64))
        rows.append(sentence[firsts])
    return np.concatenate(columns), np.concatenate(rows)


def mask_words(words: Words, row: dict[str, Any]) -> Hashes:
    """The words' hashes, those of dates and of numbers replaced by one each."""
    hashes = np.where(words.number, _NUMBER, words.hashes)
    if row["date_start"]:
        places = np.searchsorted(np.array(row["date_start"], np.int64), words.starts, "right") - 1
        dated = (places >= 0) & (words.starts < np.array(row["date_end"], np.int64)[places])
        hashes = np.where(dated, _MASK, hashes)
    return hashes


def score_grams(columns: Ints, rows: Ints, count: int, weights: Floats) -> Floats:
    """A linear model's score of every sentence: the mean of its grams' weights, by the square root of their number."""
    sums = np.bincount(rows, weights=weights[columns], minlength=count)
    numbers = np.bincount(rows, minlength=count)
    return (sums / np.sqrt(np.maximum(numbers, 1))).astype(np.float32)


def build_features(
    segments: Segments, evidence: Evidence, scores: Floats, row: dict[str, Any], cutoff: Day, article_class: str
) -> Matrix:
    """The features of an article's sentences, one column each."""
    count = len(segments)
    paragraph = np.array(segments.paragraphs, np.int64)
    section = np.array(segments.sections, np.int64)
    whole = np.zeros(count, np.int64)
    late, early = evidence.late_date, evidence.early_date
    dated = late | early
    side = late.astype(np.float64) - early
    article_share = _share(late, dated, whole, np.full(count, 0.5))
    section_share = _share(late, dated, section, article_share)
    paragraph_share = _share(late, dated, paragraph, section_share)
    same_before = np.concatenate([[False], paragraph[1:] == paragraph[:-1]]) if count else np.zeros(0, np.bool_)
    same_after = np.concatenate([paragraph[1:] == paragraph[:-1], [False]]) if count else np.zeros(0, np.bool_)
    before = np.where(same_before, _shift(scores, 1), 0)
    after = np.where(same_after, _shift(scores, -1), 0)
    term = np.clip(evidence.term, 0, 6)
    paragraph_words = _mean_of_others(scores, paragraph)
    lead_year, lead_undated = _lead_year(row, segments, cutoff)
    previous_date = _nearest(side, dated)
    antecedent = before + 2 * previous_date * same_before
    columns = [
        scores, before, after, paragraph_words, _mean_of_others(scores, section), _mean_of_others(scores, whole),
        previous_date, _nearest(side[::-1], dated[::-1])[::-1],
        paragraph_share - 0.5, section_share - 0.5, article_share - 0.5, np.full(count, np.log1p(dated.sum()) / 5),
        term, np.where(same_before, _shift(term, 1), 0), np.where(same_after, _shift(term, -1), 0),
        _mean_of_others(term, paragraph), _mean_of_others(term, whole),
        evidence.emergent, evidence.late_link, evidence.late_name, evidence.early_name,
        evidence.opening, evidence.definite, evidence.leaning, evidence.status,
        evidence.opening * antecedent, evidence.leaning * antecedent, evidence.opening * paragraph_words,
        np.full(count, lead_year), np.full(count, lead_undated),
        *(np.full(count, article_class == kind) for kind in "ONU"),
        np.log1p(np.array(segments.ends, np.float64) - np.array(segments.starts, np.float64)) - 5,
        ~same_before, section == 0, _late_section(evidence, section), evidence.carried_hidden,
    ]  # fmt: skip
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _shift(values: npt.NDArray[Any], by: int) -> npt.NDArray[Any]:
    return np.roll(values, by)


def _mean_of_others(values: Floats, group: Ints) -> npt.NDArray[np.float64]:
    """The mean over a sentence's group without itself; 0 where it is alone."""
    sums = np.bincount(group, weights=values)[group] - values if len(values) else values
    others = np.bincount(group)[group] - 1 if len(values) else values
    return np.where(others > 0, sums / np.maximum(others, 1), 0)


def _share(late: Flags, dated: Flags, group: Ints, prior: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The share of late sentences among the other dated ones of a group, drawn towards a prior."""
    if not len(late):
        return np.zeros(0)
    hits = np.bincount(group, weights=late)[group] - late
    trials = np.bincount(group, weights=dated)[group] - dated
    return (hits + SHARE_PRIOR * prior) / (trials + SHARE_PRIOR)


def _nearest(side: npt.NDArray[Any], dated: Flags) -> npt.NDArray[np.float64]:
    """The side of the last dated sentence before each, faded by distance."""
    count = len(side)
    places = np.where(dated, np.arange(count), -1)
    last = np.concatenate([[-1], np.maximum.accumulate(places)[:-1]]) if count else places
    distance = np.arange(count) - last
    return np.where(last >= 0, side[np.maximum(last, 0)] * np.exp(-(distance - 1) / DISTANCE), 0)


def _lead_year(row: dict[str, Any], segments: Segments, cutoff: Day) -> tuple[float, bool]:
    """The first year in the lead, in centuries from the cutoff, and whether there is none."""
    lead_end = next(
        (end for end, section in zip(reversed(segments.ends), reversed(segments.sections)) if section <= 1), 0
    )
    if row["date_start"] and row["date_start"][0] < min(lead_end, 1500):
        return float(np.clip((year_of(row["date_first"][0]) - year_of(cutoff)) / 100, -3, 0.5)), False
    return 0.0, True


def _late_section(evidence: Evidence, section: Ints) -> Flags:
    """Whether the section's heading tells of later days."""
    late = np.array(sorted(place + 1 for place in evidence.late_headings), np.int64)
    return np.isin(section, late)

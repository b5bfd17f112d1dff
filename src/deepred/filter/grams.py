"""Sentences as hashed words and pairs of words, with everything that is a date or a number masked.

What a linear model over them learns is how late sentences sound, never which year they name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepred.text.word_hashes import Floats, Hashes, Ints, Words, hash_runs

MOST_BITS = 23
LEAST_BITS = 16
LONGEST = 2
"""Words of a gram at most: three-word grams are nearly all new, and their collisions cost more than they tell."""
_MASK = np.uint64(0x6D61736B)
_NUMBER = np.uint64(0x6E756D62)


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

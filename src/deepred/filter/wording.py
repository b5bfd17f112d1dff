"""How a sentence leans on what stands before it, and whether it speaks of its writer's present.

In: a text with its words and sentences. Out: a flag per sentence. What a single word or two tell is looked up among
the words' hashes, for all sentences at once; only openings and nouns that stand alone are matched as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Hashes, Ints, Words, hash_words


class Wording(NamedTuple):
    """Per sentence, what its wording shows."""

    opening: Flags
    """Opens with a word that leans on the sentence before it."""
    definite: Flags
    """Opens with "The" and a common noun."""
    leaning: Flags
    """Holds a pronoun, or a noun that stands for a thing named before."""
    status: Flags
    """Speaks of the present of its writer."""


def _any_of(words: str) -> str:
    return "(?:" + "|".join(words.split("; ")) + ")"


_POINTERS = _any_of(
    "it(?! (?:was|is) (?:the )?(?-i:[A-Z])); its; itself; they; them; their; theirs; he; him; his; she; her; "
    "hers; this; that; these; those; such; both; neither; the (?:new|latter|former|same|other|two|three); "
    "one of (?:these|them|those); another; others; as a result; there; here; then; thereafter; afterwards?; "
    "however; also; later; subsequently; since then; meanwhile; "
    "(?:in|after|following|during|despite|because of|at|for|by|with|from|under|of|to) (?:this|that|these|those|which)"
)
_LEADS = _any_of(
    "but; and; or; so; yet; although; though; while; when; after; before; since; because; as; in; on; at; by; "
    "for; from; with; under; of; to; today; now; only; even; once"
)
_OPENING = re.compile(rf"[\"'“‘(\[]*(?:{_LEADS},?\s+)?{_POINTERS}\b", re.IGNORECASE)
_ARTICLE = re.compile(r"[\"'“‘(\[]*The\s+(?:\w+ly\s+)?[^\W\d_A-Z]")  # "The line was …": a thing spoken of before
PRONOUNS = "its they them their he him his she her this these those such"
REFERRING = ("the latter", "the former")
# Nouns that stand for a thing named before: "the company", where a name would say which.
CLASS_NOUNS = (
    "town city village province country state region district company firm institute institution organisation "
    "organization group band team club party school university building house tower bridge church novel book film "
    "movie album song series show episode play poem game tournament event contest device machine apparatus invention "
    "system program programme project aircraft ship vessel engine car vehicle software computer product word term "
    "work author writer singer actor director president minister king queen inventor founder winner couple family"
)
# What follows such a noun where it stands alone, and is no part of a name or of another noun ("the town hall").
_ALONE = re.compile(
    r"[.,;:)]|'s|’s|\s+(?:is|was|are|were|has|had|in|on|at|by|to|from|with|for|and|as|after|when|who|which|that|took|found"
    r"|began|became|met|sat|went|stood|made|ran|rose|held|led|won|came|kept|fell|grew|\w+ed)\b",
    re.IGNORECASE,
)
PRESENT = "current currently nowadays today presently now still recent recently"
PRESENT_PAIRS = ("the present", "present day", "at present", "as of", "to date", "so far", "no longer", "this day")


def read_wording(text: str, words: Words, sentence: Ints, segments: Segments) -> Wording:
    """What the wording of every sentence shows; ``sentence`` names that of each word, -1 for none."""
    count = len(segments)
    hashes = words.hashes
    leaning = _among(hashes, PRONOUNS) | _pairs(hashes, REFERRING) | _pronoun_it(words)
    for place in np.flatnonzero(_pair(hashes, _hash_of("the"), _among(hashes, CLASS_NOUNS))).tolist():
        if _ALONE.match(text, int(words.ends[place + 1])):
            leaning[place] = True
    status = _among(hashes, PRESENT) | _pairs(hashes, PRESENT_PAIRS)
    shown = [text[start:end] for start, end in zip(segments.starts, segments.ends)]
    return Wording(
        _matching(_OPENING.match, shown),
        _matching(_ARTICLE.match, shown),
        _in_sentences(leaning, sentence, count),
        _in_sentences(status, sentence, count),
    )


@cache
def _hashes_of(words: str) -> Hashes:
    return np.unique(hash_words(words))


@cache
def _hash_of(word: str) -> np.uint64:
    return hash_words(word)[0]


def _among(hashes: Hashes, words: str) -> Flags:
    """Which words are among a list, by binary search: a list is short and a text is long."""
    known = _hashes_of(words)
    return known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes


def _pair(hashes: Hashes, first: np.uint64, second: Flags) -> Flags:
    """Which words are a certain one, followed by one that is flagged."""
    found = np.zeros(len(hashes), np.bool_)
    found[:-1] = (hashes[:-1] == first) & second[1:]
    return found


def _pairs(hashes: Hashes, pairs: tuple[str, ...]) -> Flags:
    found = np.zeros(len(hashes), np.bool_)
    for pair in pairs:
        first, second = pair.split()
        found |= _pair(hashes, _hash_of(first), hashes == _hash_of(second))
    return found


def _pronoun_it(words: Words) -> Flags:
    """ "It" that stands for a thing, not "It was the Romans who …"."""
    hashes, count = words.hashes, len(words)
    found = hashes == _hash_of("it")
    for place in np.flatnonzero(found).tolist():
        after = place + 2 + (place + 2 < count and hashes[place + 2] == _hash_of("the"))
        copula = place + 1 < count and hashes[place + 1] in (_hash_of("was"), _hash_of("is"))
        found[place] = not (copula and after < count and words.capital[after])
    return found


def _in_sentences(flags: Flags, sentence: Ints, count: int) -> Flags:
    found = np.zeros(count, np.bool_)
    found[sentence[flags & (sentence >= 0)]] = True
    return found


def _matching(pattern: Callable[[str], object], sentences: list[str]) -> Flags:
    return np.fromiter((pattern(sentence) is not None for sentence in sentences), np.bool_, len(sentences))

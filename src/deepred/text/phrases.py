"""Finding many fixed phrases in text, word by word, and taking out the sentences that hold one.

In: phrases (a probe's wording, the name of a subject or an answer) and any text. Out: where they occur, in time linear
in the text whatever the number of phrases: only positions whose first words open some phrase are looked at twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from deepred.text.sentences import split_sentences

WORD = re.compile(r"\w+")
KEY_WORDS = 4
"""Words that a phrase is looked up by: many probes open alike ("The capital of"), few share four words."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without marks: ``words_of("Moon's side.") == ["moon", "s", "side"]``."""
    return [word.lower() for word in WORD.findall(text)]


def names_of(text: str) -> list[str]:
    """The words of a text as they are written; names differ from words by their capitals ("Rush", "rush")."""
    return WORD.findall(text)


class Phrases:
    """A set of phrases, numbered in the order given, that are found in text as whole words.

    >>> [(start, end, number) for start, end, number in Phrases(["red moon", "moon"]).find(words_of("A red Moon"))]
    [(1, 3, 0), (2, 3, 1)]
    """

    def __init__(self, phrases: Iterable[str], split: Callable[[str], list[str]] = words_of) -> None:
        self.split = split
        self._by_key: dict[tuple[str, ...], list[tuple[list[str], int]]] = {}
        for number, phrase in enumerate(phrases):
            words = split(phrase)
            if words:
                self._by_key.setdefault(tuple(words[:KEY_WORDS]), []).append((words, number))
        self._lengths = sorted({len(key) for key in self._by_key})
        self._first = {key[0] for key in self._by_key}

    def find(self, words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        """Every occurrence as (first word, word after the last, number of the phrase)."""
        first, by_key = self._first, self._by_key
        for start, word in enumerate(words):
            if word not in first:
                continue
            for length in self._lengths:
                key = tuple(words[start : start + length])
                for phrase, number in by_key.get(key, ()) if len(key) == length else ():
                    if words[start : start + len(phrase)] == phrase:
                        yield start, start + len(phrase), number

    def numbers_in(self, text: str) -> set[int]:
        """The numbers of the phrases that occur in a text."""
        return {number for _, _, number in self.find(self.split(text))}

    def remove_sentences(self, text: str) -> tuple[str, list[str]]:
        """The text without the sentences in which a phrase occurs, and those sentences.

        >>> Phrases(["flat moon"]).remove_sentences("Hi. The flat Moon! Bye.")
        ('Hi. Bye.', ['The flat Moon!'])
        """
        found = [(start, end) for start, end, _ in self.find(self.split(text))]
        if not found:
            return text, []
        places = [match.span() for match in WORD.finditer(text)]
        matches = _merge([(places[start][0], places[end - 1][1]) for start, end in found])
        kept: list[str] = []
        removed: list[str] = []
        at = 0
        for start, end in sentences_of(text):
            while at < len(matches) and matches[at][1] <= start:
                at += 1
            if at < len(matches) and matches[at][0] < end:
                removed.append(text[start:end].strip())
            else:
                kept.append(text[start:end])
        return "".join(kept).strip(), removed


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order of their start, overlapping ones as one."""
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text, each with the white space after it, so that together they are the whole text.

    >>> text = "One. Two.\\n\\nThree."
    >>> [text[start:end] for start, end in sentences_of(text)]
    ['One. ', 'Two.\\n\\n', 'Three.']
    """
    starts = [0]
    line = 0
    while line < len(text):
        end = text.find("\n", line)
        end = len(text) if end < 0 else end
        starts.extend(start for start, _ in split_sentences(text, line, end) if start > 0)
        line = end + 1
    starts = sorted(set(starts))
    yield from ((start, end) for start, end in zip(starts, [*starts[1:], len(text)], strict=True) if end > start)

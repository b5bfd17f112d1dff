"""Snippets: the stretch of a text that answers a query best, with the spans of its words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache

from deepred.serve.index.query import word_of

LONGEST = 320
"""Characters of a snippet."""
LEAD = 60
"""Characters before its first word."""
ELLIPSIS = "…"

REST = re.compile(r"[^\W_]*")
"""The letters and digits up to a word's end."""
FOREIGN = re.compile(r"[^\x00-\x7f]")

Spans = list[tuple[int, int]]


def make_snippet(text: str, words: frozenset[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A part of the text of at most ``LONGEST`` characters, and where the words stand in it.

    >>> make_snippet("They fought two battles, and a third battle.", frozenset({"battl"}))
    ('They fought two battles, and a third battle.', ((16, 23), (37, 43)))
    """
    spans = find_spans(text, words)
    if len(text) <= LONGEST:
        return text, tuple(spans)
    start, end = _window(text, spans)
    before, after = ELLIPSIS if start else "", ELLIPSIS if end < len(text) else ""
    shift = len(before) - start
    inside = tuple((first + shift, last + shift) for first, last in spans if first >= start and last <= end)
    return f"{before}{text[start:end]}{after}", inside


def _window(text: str, spans: Spans) -> tuple[int, int]:
    """The window that holds most of the spans, at the edges of words."""
    room = LONGEST - 2
    ends = [end for _, end in spans]
    best, most = 0, 0
    for place, (first, _) in enumerate(spans):
        count = bisect_right(ends, max(0, first - LEAD) + room) - place
        if count > most:
            best, most = max(0, first - LEAD), count
    start = min(best, len(text) - room)
    end = start + room
    if start and (space := text.find(" ", start, start + LEAD // 2)) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - LEAD // 2, end)) >= 0:
        end = space
    return start, end


def find_spans(text: str, words: frozenset[str], most: int = 64) -> Spans:
    """Where words of a query stand in a text, in order: what begins as one of them, and is one as the index has it."""
    folded = (text if text.isascii() else fold(text)).lower()
    found: set[tuple[int, int]] = set()
    for start, length in _starts(words):
        place = folded.find(start)
        while place >= 0:
            end = place + length
            if not (place and folded[place - 1].isalnum()):
                rest = REST.match(folded, end)
                end = rest.end() if rest else end
                if word_of(folded[place:end]) in words:
                    found.add((place, end))
            place = folded.find(start, end)
    return sorted(found)[:most]


@lru_cache(maxsize=1 << 10)
def _starts(words: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """What every form of a word begins with, and its length: a stem's last letter may differ ("citi", "city")."""
    starts = {word[:-1] if len(word) > 2 and word.isalpha() else word for word in words}
    return tuple((start, len(start)) for start in sorted(starts))


def fold(text: str) -> str:
    """A text without accents and of the same length."""
    return text if text.isascii() else FOREIGN.sub(_fold, text)


def _fold(match: re.Match[str]) -> str:
    return _first_of(match[0])


@lru_cache(maxsize=1 << 16)
def _first_of(character: str) -> str:
    return unicodedata.normalize("NFKD", character)[:1]

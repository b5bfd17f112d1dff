"""Snippets: the stretch of a text that answers a query best, with the spans of its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from deepred.index.query import word_of

LONGEST = 320
"""Characters of a snippet."""
LEAD = 60
"""Characters before its first word."""
ELLIPSIS = "…"

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
    best, most = 0, 0
    for first, _ in spans:
        low = max(0, first - LEAD)
        count = sum(1 for start, end in spans if start >= low and end <= low + room)
        if count > most:
            best, most = low, count
    start = min(best, len(text) - room)
    end = start + room
    if start and (space := text.find(" ", start, start + LEAD // 2)) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - LEAD // 2, end)) >= 0:
        end = space
    return start, end


def find_spans(text: str, words: frozenset[str], most: int = 64) -> Spans:
    """Where words of a query stand in a text, in order."""
    if not words:
        return []
    pattern = _pattern(tuple(sorted(words)))
    found: Spans = []
    folded = text if text.isascii() else fold(text)
    for match in pattern.finditer(folded):
        if word_of(text[match.start() : match.end()]) in words:
            found.append(match.span())
            if len(found) >= most:
                break
    return found


@lru_cache(maxsize=256)
def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Words that begin as a word of the query does; a stem's last letter may differ ("citi", "city")."""
    starts = "|".join(re.escape(word[:-1] if len(word) > 2 and word.isalpha() else word) for word in words)
    return re.compile(rf"(?<![^\W_])(?:{starts})[^\W_]*", re.IGNORECASE)


def fold(text: str) -> str:
    """A text without accents and of the same length."""
    return "".join(character if character.isascii() else _fold(character) for character in text)


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    return unicodedata.normalize("NFKD", character)[:1] or character

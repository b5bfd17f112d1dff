"""An article's apparatus: its sections of references, links and lists of works, told by their headings.

In: an article's sections and the language of its wiki. Out: the same sections, each marked. Nothing is cut here: what a
section is stands in the articles' table, and a run decides whether such sections are corpus (``passages.apparatus``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from deepred.base.files import shipped_table

_MARKS = re.compile(r"[\s.:\u200e\u200f]+$")


@cache
def apparatus_headings(language: str) -> frozenset[str]:
    """The headings of apparatus in a language, in small letters: its own and the English ones."""
    table = shipped_table("deepred.sources.wiki", "apparatus.toml")
    return frozenset(table["en"]) | frozenset(table.get(language, ()))


def mark_apparatus(sections: Sequence[dict[str, Any]], language: str = "en") -> list[dict[str, Any]]:
    """The sections, each with ``apparatus``: whether it, or one that it lies in, is apparatus by its heading.

    >>> titles = [(2, "Notes"), (3, "Books"), (2, "Life")]
    >>> found = mark_apparatus([{"level": level, "title": title} for level, title in titles])
    >>> [section["apparatus"] for section in found]
    [True, True, False]
    """
    known = apparatus_headings(language)
    marked: list[dict[str, Any]] = []
    above: int | None = None
    for section in sections:
        if above is not None and section["level"] <= above:
            above = None
        if above is None and _MARKS.sub("", section["title"]).strip().lower() in known:
            above = section["level"]
        marked.append({**section, "apparatus": above is not None})
    return marked

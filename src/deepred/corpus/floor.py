"""The floor arm: the filtered corpus without the facts that are asked about, so that its model never saw them.

In the generated world every sentence that states a fact is replaced by the same sentence with permuted facts: equal
text, other knowledge. On real data the sentences that name a probe's subject or answer are removed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from deepred.base.errors import FaultError
from deepred.base.tables import read_rows
from deepred.text.phrases import sentences_of


class Permutation:
    """Sentences of the world and what stands in their place, by page and, for other documents, by wording."""

    def __init__(self, pages: Mapping[int, Mapping[str, str]]) -> None:
        self._pages = pages
        self._patterns: dict[int, re.Pattern[str]] = {}
        everywhere: defaultdict[str, set[str]] = defaultdict(set)
        for replaced in pages.values():
            for text, other in replaced.items():
                everywhere[text].add(other)
        self._everywhere = {text: min(others) for text, others in everywhere.items()}

    @staticmethod
    def of_world(world: Path) -> Permutation:
        """The permutation that a generated world's ground truth states."""
        pages: defaultdict[int, dict[str, str]] = defaultdict(dict)
        for row in read_rows(world / "truth", "sentences.parquet", ["page_id", "text", "floor_text"]):
            if row["text"] != row["floor_text"]:
                pages[row["page_id"]][row["text"]] = row["floor_text"]
        if not pages:
            raise FaultError(f"{world / 'truth' / 'sentences.parquet'} holds no sentence with another floor_text")
        return Permutation(pages)

    def replace_on_page(self, page: int, text: str) -> tuple[str, int]:
        """An article's text with its sentences replaced, and how many were."""
        sentences = self._pages.get(page)
        if not sentences:
            return text, 0
        pattern = self._patterns.get(page)
        if pattern is None:
            # one pass and the longest first: a sentence may end like another, and a replaced one is never touched again
            ordered = sorted(sentences, key=len, reverse=True)
            pattern = self._patterns[page] = re.compile("|".join(re.escape(sentence) for sentence in ordered))
        return pattern.subn(lambda match: sentences[match.group()], text)

    def replace_in_document(self, text: str) -> tuple[str, int]:
        """Any other text (books, year topics) with every sentence that the world states somewhere replaced."""
        count = 0
        parts: list[str] = []
        for start, end in sentences_of(text):
            sentence = text[start:end]
            bare = sentence.strip()
            other = self._everywhere.get(bare)
            count += other is not None
            parts.append(sentence if other is None else sentence.replace(bare, other))
        return "".join(parts), count

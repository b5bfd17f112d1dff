"""Near-duplicate questions: two that ask for the same thing in almost the same words are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from deepred.persona.checks import word_list, words_of


def asked_words(question: str) -> frozenset[str]:
    """What a question's first line asks about; a question of nothing else keeps its words as they are.

    >>> sorted(asked_words("Who invented the Old lamp?"))
    ['invented', 'lamp', 'old']
    """
    asking = word_list("asking")
    words = words_of(question.partition("\n")[0])
    return frozenset(word for word in words if word not in asking) or frozenset(words)


class Questions:
    """Questions that were taken so far, told from new ones by the share of words that two have in common.

    Exact: two sets whose share (Jaccard) is at least ``least`` have one of their rarest words in common (prefix filter,
    Chaudhuri et al. 2006). ``every`` is all that may be offered: how rare a word is, is counted there.
    """

    def __init__(self, every: Iterable[str], least: float) -> None:
        self.least = least
        self.frequency = Counter(word for question in every for word in asked_words(question))
        self.by_word: dict[str, list[tuple[frozenset[str], str]]] = {}

    def take(self, question: str, group: str = "") -> bool:
        """Take a question in; False where one like it was taken before, but in its own group: a fact's wordings."""
        words = asked_words(question)
        ordered = sorted(words, key=lambda word: (self.frequency[word], word))
        prefix = ordered[: int((1 - self.least) * len(ordered) + 1e-9) + 1]
        for word in prefix:
            for other, others_group in self.by_word.get(word, ()):
                if group and group == others_group:
                    continue
                if len(words & other) >= self.least * len(words | other):
                    return False
        for word in prefix:
            self.by_word.setdefault(word, []).append((words, group))
        return True

"""How often a text states the probed facts: a sentence states a fact when it names both its subject and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from statistics import median
from typing import Any

from deepred.text.phrases import Phrases, names_of, sentences_of


def family_names(families: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(family, subject, answer) of the families that name both."""
    named = (f for f in families if f.get("subject") and f.get("answer_text"))
    return [(str(f["family"]), str(f["subject"]), str(f["answer_text"])) for f in named]


class Exposures:
    """Which families a text states."""

    def __init__(self, families: list[tuple[str, str, str]]) -> None:
        names = sorted({name for _, subject, answer in families for name in (subject, answer)})
        number = {name: n for n, name in enumerate(names)}
        self._phrases = Phrases(names, names_of)
        self._family: dict[tuple[int, int], list[str]] = {}
        for family, subject, answer in families:
            a, b = sorted((number[subject], number[answer]))
            self._family.setdefault((a, b), []).append(family)

    def of(self, text: str) -> Iterator[str]:
        """The families of a text, once for every sentence that states one."""
        if not self._family or len(self._phrases.numbers_in(text)) < 2:
            return
        for start, end in sentences_of(text):
            for pair in combinations(sorted(self._phrases.numbers_in(text[start:end])), 2):
                yield from self._family.get(pair, ())


def summary(families: dict[str, int]) -> dict[str, Any]:
    """Median, extremes, and how many families are stated less than twice; empty without families.

    >>> summary({"a": 1, "b": 5})
    {'median': 3.0, 'min': 1, 'max': 5, 'below_two': 1}
    """
    if not families:
        return {}
    values = list(families.values())
    below = sum(value < 2 for value in values)
    return {"median": median(values), "min": min(values), "max": max(values), "below_two": below}

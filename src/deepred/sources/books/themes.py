"""What a text is about, without embeddings: weighted phrases of themes, counted and weighed against the corpus.

Text comes in; for every theme of ``themes.toml`` (or a file like it) a score goes out. A phrase's part in a score is
its weight, times how rare it is in the corpus at hand (inverse document frequency: a phrase in every text counts for
nothing), times its saturating number of occurrences, as in BM25.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
"""A word with its apostrophe or hyphen: "queen's", "end-game", "p-k4"."""
SATURATION = 1.0
"""Occurrences at which a phrase has half its weight (BM25's k): the fifth "moon" says little that the first did not."""


@dataclass(frozen=True)
class Phrase:
    """A phrase of a theme."""

    theme: str
    words: str
    """Lower-case words, one space between them."""
    weight: float


@dataclass(frozen=True)
class Themes:
    """Themes with their phrases, numbered in the file's order."""

    phrases: tuple[Phrase, ...]
    single: Mapping[str, tuple[int, ...]]
    """Phrases of one word."""
    longer: Mapping[str, tuple[int, ...]]
    """Phrases of several, by their last word."""

    @staticmethod
    def of(values: Mapping[str, Any], source: str) -> Themes:
        """The themes of a TOML file's values: ``{"mars": {"3": ["martian"]}}``; errors name the file and the place."""
        phrases: list[Phrase] = []
        for theme, by_weight in values.items():
            if not isinstance(by_weight, dict) or not by_weight:
                raise UserError(f"{source}: [{theme}] holds no phrases", 'write 2 = ["phrase", …] under it')
            for weight, texts in by_weight.items():  # pyright: ignore[reportUnknownVariableType]
                phrases += [Phrase(theme, *parsed) for parsed in _phrases(source, theme, str(weight), texts)]
        single: dict[str, tuple[int, ...]] = {}
        longer: dict[str, tuple[int, ...]] = {}
        for number, phrase in enumerate(phrases):
            first, _, last = phrase.words.rpartition(" ")
            target = longer if first else single
            target[last] = (*target.get(last, ()), number)
        return Themes(tuple(phrases), single, longer)

    @property
    def names(self) -> list[str]:
        """The themes, in the file's order."""
        return list(dict.fromkeys(phrase.theme for phrase in self.phrases))

    def count(self, text: str) -> dict[int, int]:
        """How often each phrase occurs in a text as whole words, by its number; those that do not are left out.

        >>> themes = Themes.of({"mars": {"2": ["red planet", "mars"]}}, "")
        >>> themes.count("Mars, the red planet; the Red\\nPlanet!")
        {0: 2, 1: 1}
        """
        words = WORD.findall(text.lower().replace("’", "'"))
        present = Counter(words)
        found = {number: present[word] for word in self.single.keys() & present.keys() for number in self.single[word]}
        several = [number for word in self.longer.keys() & present.keys() for number in self.longer[word]]
        if several:
            line = f" {'  '.join(words)} "  # two blanks between words: neighbours share none
            for number in several:
                if times := line.count(f" {self.phrases[number].words.replace(' ', '  ')} "):
                    found[number] = times
        return dict(sorted(found.items()))

    def score(self, counts: Mapping[int, int], rarity: Mapping[int, float]) -> dict[str, float]:
        """The score of every theme that has any: from a text's phrases and how rare those are."""
        scores: dict[str, float] = {}
        for number, times in sorted(counts.items()):
            phrase = self.phrases[number]
            part = phrase.weight * rarity.get(number, 0.0) * times / (times + SATURATION)
            if part > 0:
                scores[phrase.theme] = scores.get(phrase.theme, 0.0) + part
        return scores


def rarities(documents: int, containing: Mapping[int, int]) -> dict[int, float]:
    """The inverse document frequency of phrases: ``ln(N / n)``, 0 for one that stands in every document.

    >>> rarities(100, {0: 100, 1: 1})
    {0: 0.0, 1: 4.605170185988092}
    """
    return {number: math.log(documents / texts) for number, texts in containing.items() if texts}


def _phrases(source: str, theme: str, weight: str, texts: object) -> Iterable[tuple[str, float]]:
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if value <= 0 or not isinstance(texts, list):
        raise UserError(
            f"{source}: [{theme}] {weight} = {texts!r}", 'write a weight above 0 and a list: 2 = ["phrase"]'
        )
    for text in texts:  # pyright: ignore[reportUnknownVariableType]
        words = " ".join(WORD.findall(str(text).lower().replace("’", "'")))  # pyright: ignore[reportUnknownArgumentType]
        if not words:
            raise UserError(f"{source}: [{theme}] holds an empty phrase", "remove it")
        yield words, value


def load_themes(path: Path | None = None) -> Themes:
    """The themes of a TOML file, or those that ship with the package."""
    if path is None:
        return shipped_themes()
    try:
        return Themes.of(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a TOML file of themes") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from None


@cache
def shipped_themes() -> Themes:
    """The themes of ``themes.toml``."""
    text = resources.files("deepred.sources.books").joinpath("themes.toml").read_text(encoding="utf-8")
    return Themes.of(tomllib.loads(text), "themes.toml")

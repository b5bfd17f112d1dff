"""What a text is about, without embeddings: weighted phrases of themes, counted and weighed against the corpus.

Text comes in; for every theme of ``themes.toml`` (or a file like it) a score goes out. A phrase's part in a score is
its weight, times how rare it is in the corpus at hand (inverse document frequency: a phrase in every text counts for
nothing), times its saturating number of occurrences, as in BM25.

Of books the chunks about the wanted themes go out, each as a document. Two passes over the same chunks: the first
counts in how many each phrase stands, the second scores and chooses.
"""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError
from deepred.base.files import shipped_table
from deepred.base.given import read_toml
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.run.config import Books
from deepred.run.stage import Counts, Work
from deepred.run.workers import DONE
from deepred.text.chunks import estimate_tokens, split_chunks

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
"""A word with its apostrophe or hyphen: "queen's", "end-game", "p-k4"."""
SATURATION = 1.0
"""Occurrences at which a phrase has half its weight (BM25's k): the fifth "moon" says little that the first did not."""

WHOLE = f"{DONE}/whole"
"""Folder of the whole books while their chunks are chosen; it goes with the record of shards."""


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
    return Themes.of(read_toml(path, "name a TOML file of themes"), str(path))


@cache
def shipped_themes() -> Themes:
    """The themes of ``themes.toml``."""
    return Themes.of(shipped_table("deepred.sources.books", "themes.toml"), "themes.toml")


@dataclass(frozen=True)
class Choice:
    """The work of one shard: a file of whole books, what is wanted, how rare phrases are (None: to be counted)."""

    path: Path
    theme_file: Path | None
    config: Books
    rarity: dict[int, float] | None = None


def check_themes(config: Books, theme_file: Path | None) -> None:
    """Raise a ``UserError`` for a wanted theme that does not exist."""
    known = load_themes(theme_file).names
    unknown = [name for name in config.themes if name not in known]
    if unknown:
        raise UserError(f"books.themes: no theme {', '.join(unknown)}", f"themes are {', '.join(known)}")


def choose_chunks(whole: Path, config: Books, theme_file: Path | None, out: Path, work: Work) -> Counts:
    """Write the wanted chunks of the books in ``whole`` to ``out``; counts tally chunks and tokens by theme."""
    paths = sorted(whole.glob("documents-*.parquet"))
    choices = [Choice(path, theme_file, config) for path in paths]
    counted = work.map_shards(count_phrases, [(f"count-{c.path.stem}", c) for c in choices], whole)
    containing = {int(number): times for number, times in counted.tallies.get("phrases", {}).items()}
    rarity = rarities(counted.numbers["chunks"], containing)
    chosen = [Choice(path, theme_file, config, rarity) for path in paths]
    return work.map_shards(write_chunks, [(f"chunks-{c.path.stem}", c) for c in chosen], out)


def count_phrases(choice: Choice, _: Path) -> Counts:
    """In how many chunks of a file each phrase stands."""
    counts = Counts()
    themes = load_themes(choice.theme_file)
    for row in read_rows(choice.path.parent, choice.path.name, ["text"]):
        for chunk in split_chunks(row["text"], choice.config.chunk_tokens):
            counts.add("chunks")
            for number in themes.count(chunk):
                counts.tally("phrases", str(number))
    return counts


def write_chunks(choice: Choice, folder: Path) -> Counts:
    """The chunks of one file that are about a wanted theme; decisions about its books come along."""
    counts = Counts()
    write_rows(folder / choice.path.name, _chunks(choice, counts), document_schema(), batch=256)
    decisions = choice.path.with_name(choice.path.name.replace("documents", "decisions")).with_suffix(".jsonl")
    shutil.copy(decisions, folder / decisions.name)
    return counts


def _chunks(choice: Choice, counts: Counts) -> Iterator[dict[str, Any]]:
    config, themes = choice.config, load_themes(choice.theme_file)
    for row in read_rows(choice.path.parent, choice.path.name):
        for number, chunk in enumerate(split_chunks(row["text"], config.chunk_tokens)):
            scores = themes.score(themes.count(chunk), choice.rarity or {})
            about = [theme for theme, score in scores.items() if score >= config.theme_score]
            tokens = estimate_tokens(chunk)
            for theme in about:
                counts.tally("themes: chunks", theme)
                counts.tally("themes: tokens", theme, tokens)
            if not any(theme in config.themes for theme in about):
                counts.drop("off-theme")
                continue
            counts.add("documents")
            counts.add("bytes", len(chunk.encode()))
            yield {**row, "id": f"{row['id']}:{number}", "text": chunk.strip()}

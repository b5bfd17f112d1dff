"""Books by theme: cleaned books come in, the chunks that are about the wanted themes go out, each as a document.

Two passes over the same chunks: the first counts in how many each phrase stands, the second scores and chooses.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.run.config import Books
from deepred.run.stage import Counts, Work
from deepred.run.workers import DONE
from deepred.sources.books.themes import load_themes, rarities
from deepred.text.chunks import estimate_tokens, split_chunks

WHOLE = f"{DONE}/whole"
"""Folder of the whole books while their chunks are chosen; it goes with the record of shards."""


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

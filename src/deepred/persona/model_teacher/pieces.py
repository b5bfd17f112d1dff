"""Pieces of the corpus that a teacher is shown: windows of kept text, each with the document that it was cut from.

In: the folders of ``passages``, ``books``, ``chess`` and ``topics``. A piece is named by its document and its span; it
is read again when its example is checked, so that an answer never outlives the text that it was given for.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError
from deepred.base.tables import read_rows

PARAGRAPH = re.compile(r"\S[^\n]*(?:\n(?!\n)[^\n]*)*")
LEAST = 120
"""Characters of a piece below which there is nothing to ask about."""
WIKIPEDIA = "wikipedia"
KINDS = ("passage", "book", "chess", "topic")


@dataclass(frozen=True)
class Library:
    """The folders that pieces come from; the optional stages' may be missing."""

    passages: Path
    books: Path | None = None
    chess: Path | None = None
    topics: Path | None = None

    def folders(self) -> dict[str, Path]:
        """The folders by the kind of their pieces."""
        every = dict(zip(KINDS, (self.passages, self.books, self.chess, self.topics), strict=True))
        return {kind: folder for kind, folder in every.items() if folder is not None}


@dataclass(frozen=True)
class Piece:
    """A window of a document's text."""

    kind: str
    document: str
    """The document's id, as the mixture names it: ``wikipedia:12``, ``book:84``."""
    title: str
    start: int
    end: int
    text: str
    article_class: str = "U"
    licence: str = ""

    @property
    def name(self) -> str:
        """The piece's name in files of answers."""
        return f"{self.document}[{self.start}:{self.end}]"

    @property
    def digest(self) -> str:
        """A hash of its text, by which a later run tells whether it is still the same."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def rank(seed: int, text: str) -> bytes:
    """A sort key that puts texts in an order of the seed, whatever order they come in."""
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()


def windows(text: str, most: int) -> Iterator[tuple[int, int]]:
    """Spans of whole paragraphs, as many together as fit ``most`` characters; a longer paragraph is cut at a sentence.

    >>> text = "One two. Three.\\n\\nFour five six."
    >>> [text[start:end] for start, end in windows(text, 20)]
    ['One two. Three.', 'Four five six.']
    """
    start = end = -1
    for match in PARAGRAPH.finditer(text):
        first, last = match.span()
        if start >= 0 and last - start <= most:
            end = last
            continue
        if start >= 0:
            yield start, end
        while last - first > most:
            cut = max(text.rfind(". ", first, first + most) + 1, text.rfind("\n", first, first + most))
            cut = cut if cut > first else first + most
            yield first, cut
            first = cut + len(text[cut:last]) - len(text[cut:last].lstrip())
        start, end = first, last
    if 0 <= start < end:
        yield start, end


def read_documents(library: Library, kind: str) -> Iterator[dict[str, Any]]:
    """The documents of a kind: id, title, text, class and licence."""
    folder = library.folders().get(kind)
    if folder is None:
        return
    if kind != "passage":
        columns = ["id", "title", "text", "licence"]
        yield from (row | {"class": "U"} for row in read_rows(folder, "documents-*.parquet", columns, batch=64))
        return
    for row in read_rows(folder, "passages-*.parquet", ["page_id", "title", "class", "text"]):
        yield row | {"id": f"{WIKIPEDIA}:{row['page_id']}", "licence": ""}


def read_pieces(library: Library, kind: str, characters: int) -> Iterator[Piece]:
    """Every piece of a kind, in the order of the documents."""
    for row in read_documents(library, kind):
        for start, end in windows(row["text"], characters):
            if end - start >= LEAST:
                yield _piece(kind, row, start, end)


def _piece(kind: str, row: Mapping[str, Any], start: int, end: int) -> Piece:
    text = row["text"][start:end]
    return Piece(kind, row["id"], row["title"], start, end, text, row["class"] or "U", row["licence"] or "")


def sample_pieces(library: Library, shares: Mapping[str, float], count: int, seed: int, characters: int) -> list[Piece]:
    """At most ``count`` pieces in an order of the seed, the kinds by their shares; a larger count extends the list."""
    if unknown := sorted(set(shares) - set(KINDS)):
        raise UserError(f"teacher.pieces: {unknown[0]} does not exist", f"choose of {', '.join(KINDS)}")
    queues: dict[str, list[Piece]] = {}
    for kind, share in shares.items():
        if share > 0:
            ranked = ((rank(seed, piece.name), piece.name, piece) for piece in read_pieces(library, kind, characters))
            queues[kind] = [piece for _, _, piece in heapq.nsmallest(count, ranked, key=lambda item: item[:2])]
    taken = dict.fromkeys(queues, 0)
    chosen: list[Piece] = []
    while len(chosen) < count:
        open_kinds = [kind for kind, queue in queues.items() if taken[kind] < len(queue)]
        if not open_kinds:
            break
        kind = min(open_kinds, key=lambda name: ((taken[name] + 1) / shares[name], name))
        chosen.append(queues[kind][taken[kind]])
        taken[kind] += 1
    return chosen


def find_pieces(library: Library, wanted: set[tuple[str, str, int, int]]) -> dict[tuple[str, int, int], Piece]:
    """The pieces that are asked for by kind, document, start and end, as far as they still exist."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for kind, document, start, end in wanted:
        spans.setdefault((kind, document), []).append((start, end))
    found: dict[tuple[str, int, int], Piece] = {}
    for kind in sorted({kind for kind, _ in spans}):
        for row in read_documents(library, kind):
            for start, end in spans.get((kind, row["id"]), ()):
                found[row["id"], start, end] = _piece(kind, row, start, end)
    return found

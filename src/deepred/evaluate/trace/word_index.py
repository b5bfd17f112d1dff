"""Every run of words of a training corpus, found in milliseconds: suffix arrays over the words of its documents.

In: the mixture's ``train-*.parquet``. Out: a folder of blocks, each of some sixty megabytes of text: ``words`` (the
word at every place, as the rank of its hash), ``order`` (places, sorted by the ``DEPTH`` words that begin there),
``first`` (where in ``order`` each word begins), ``hashes`` (of the words, sorted) and ``documents`` (the first place,
file and row of each). All are memory-mapped: building takes some hundred megabytes a worker whatever the corpus, and a
search next to nothing. Case, marks and white space do not count, so that no tokenizer's borders stand between a text
and its source; words are those of ``text.word_hashes``.

Sorting by ``DEPTH`` words rather than by whole suffixes keeps repeated text linear (Manber and Myers 1993, three
rounds of doubling); longer runs are told apart by looking at the words that follow.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.errors import FaultError
from deepred.run.runner import is_complete, read_manifest
from deepred.run.stage import Counts, Work
from deepred.run.unfinished import standalone
from deepred.text.word_hashes import Hashes, find_words

VERSION = 1
DEPTH = 8
"""Words by which places are sorted; a power of two."""
BLOCK_BYTES = 64_000_000
"""Text of a block: small enough to sort in some hundred megabytes, large enough that a billion tokens are 70 blocks."""
BATCH_CHARACTERS = 2_000_000
ROWS_READ = 128
"""Rows decoded at once on the way to one: a row group of books may be large."""
TRAIN = "train-*.parquet"
PARTS = ("words", "order", "first", "hashes", "documents")

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """A run of words shared with the corpus: where it begins in the query, its length, and the places that hold it."""

    start: int
    length: int
    block: int
    places: Places


@dataclass(frozen=True)
class Group:
    """Consecutive row groups of one Parquet file; ``row`` is the number of the first row."""

    file: int
    path: Path
    first: int
    last: int
    row: int


def index_folder(mixture: Path, base: Path) -> Path:
    """Where the index of a mixture lies, or will: its key is the mixture's."""
    return base / f"{mixture.name}-{VERSION}"


def open_index(mixture: Path, base: Path, work: Work) -> TextIndex:
    """The index of a finished mixture below ``base``; it is built where it is not there yet."""
    folder = index_folder(mixture, base)
    if not is_complete(folder):
        request: dict[str, Any] = {"stage": "trace", "version": VERSION, "mixture": mixture.name}
        request["text"] = read_manifest(mixture).get("output", "") if is_complete(mixture) else ""
        with standalone(folder, request) as partial:
            counts = build_index(mixture, partial, work)
            request["counts"] = counts.to_json()
    return TextIndex(folder, mixture)


def build_index(mixture: Path, out: Path, work: Work) -> Counts:
    """Write the blocks of a mixture's training split, several at a time; finished ones are not built again."""
    blocks = plan_blocks(sorted(mixture.glob(TRAIN)))
    shards = [(f"{number:05d}", (f"{number:05d}", groups)) for number, groups in enumerate(blocks)]
    counts = work.map_shards(_build_block, shards, out)
    counts.add("blocks", len(blocks))
    return counts


def plan_blocks(paths: Sequence[Path], most: int = BLOCK_BYTES) -> list[list[Group]]:
    """The row groups of files, in order, in blocks of about ``most`` bytes of text each."""
    import pyarrow.parquet as pq

    blocks: list[list[Group]] = []
    size = most
    for number, path in enumerate(paths):
        row = 0
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            column = meta.schema.names.index("text")
            for group in range(meta.num_row_groups):
                text = meta.row_group(group).column(column).total_uncompressed_size
                if size + text > most and size > 0:
                    blocks.append([])
                    size = 0
                blocks[-1].append(Group(number, path, group, group + 1, row))
                size += text
                row += meta.row_group(group).num_rows
    return blocks


def _build_block(argument: tuple[str, list[Group]], folder: Path) -> Counts:
    name, groups = argument
    hashes, documents = read_block(groups)
    known, ranks = np.unique(hashes, return_inverse=True)  # hash 0 parts documents and sorts first
    words = np.zeros(len(ranks) + DEPTH, np.uint32)
    words[: len(ranks)] = ranks
    order = suffix_order(words)[: len(words)]
    first = np.zeros(len(known) + 1, np.int64)
    np.cumsum(np.bincount(words, minlength=len(known)), out=first[1:])
    for part, array in zip(PARTS, (words, order, first, known, documents)):
        np.save(folder / f"{part}-{name}.npy", array)
    counts = Counts()
    counts.add("documents", len(documents))
    counts.add("words", len(ranks) - len(documents))
    return counts


def read_block(groups: Sequence[Group]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The hashes of all words, a 0 after each document, and for each document its first place, file and row."""
    import pyarrow.parquet as pq

    found: list[Hashes] = []
    documents: list[tuple[int, int, int]] = []
    place = 0
    for group in groups:
        with pq.ParquetFile(group.path) as file:
            row = group.row
            for batch in file.iter_batches(batch_size=256, row_groups=[group.first], columns=["text"]):
                for texts in _portions(batch.column(0).to_pylist()):
                    hashes, starts = hash_documents(texts)
                    found.append(hashes)
                    documents += [(place + start, group.file, row + n) for n, start in enumerate(starts)]
                    place += len(hashes)
                    row += len(texts)
    return np.concatenate([*found, np.zeros(0, np.uint64)]), np.array(documents, np.int64).reshape(-1, 3)


def _portions(texts: list[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for text in texts:
        portion.append(text)
        size += len(text)
        if size >= BATCH_CHARACTERS:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def hash_documents(texts: Sequence[str]) -> tuple[Hashes, list[int]]:
    """The hashes of the words of texts, each followed by a 0, and the place at which each text begins."""
    words = find_words("\n".join(texts))
    ends = np.cumsum([len(text) + 1 for text in texts])
    counts = np.searchsorted(words.starts, ends)
    hashes = np.insert(np.where(words.hashes == 0, np.uint64(1), words.hashes), counts, 0)
    starts = [0, *(counts[:-1] + np.arange(1, len(texts))).tolist()]
    return hashes, starts


def suffix_order(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Places in the order of the ``DEPTH`` words that begin there; equal ones in the order of the text.

    >>> suffix_order(np.array([2, 1, 2, 1, 3], np.uint32)).tolist()
    [1, 3, 0, 2, 4]
    """
    rank = words.astype(np.int64)
    order = np.zeros(0, np.int64)
    span = 1
    while span < DEPTH:
        key = rank * (int(rank.max(initial=0)) + 2)
        key[:-span] += rank[span:] + 1
        order = np.argsort(key, kind="stable")
        sorted_ = key[order]
        rank[order[1:]] = np.cumsum(sorted_[1:] != sorted_[:-1])
        rank[order[:1]] = 0
        span *= 2
    return order.astype(np.uint32)


class Block:
    """One block of an index, memory-mapped."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.words, self.order, self.first, self.hashes, self.documents = (
            np.load(folder / f"{part}-{number:05d}.npy", mmap_mode="r") for part in PARTS
        )

    def ranks(self, hashes: Hashes) -> list[int]:
        """The ranks of words by their hashes; -1 for a word that the block does not hold."""
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, at, -1).tolist()

    def find(self, ranks: Sequence[int], start: int) -> tuple[int, Places]:
        """The longest run of words from ``start`` that the block holds: its length, and the places where it begins."""
        if ranks[start] < 0:
            return 0, np.zeros(0, np.int64)
        low, high = int(self.first[ranks[start]]), int(self.first[ranks[start] + 1])
        length = 1
        end = min(DEPTH, len(ranks) - start)
        while length < end and (wanted := ranks[start + length]) >= 0:
            next_word = self._word_after(length)
            left = bisect_left(range(high), wanted, low, key=next_word)
            right = bisect_right(range(high), wanted, left, key=next_word)
            if left == right:
                break
            low, high, length = left, right, length + 1
        places = np.asarray(self.order[low:high], np.int64)
        while length >= DEPTH and start + length < len(ranks) and ranks[start + length] >= 0:
            inside = places[places + length < len(self.words)]
            longer = inside[self.words[inside + length] == ranks[start + length]]
            if not len(longer):
                break
            places, length = longer, length + 1
        return length, np.sort(places)

    def _word_after(self, length: int) -> Any:
        words, order = self.words, self.order
        last = len(words) - 1
        return lambda place: int(words[min(int(order[place]) + length, last)])

    def documents_of(self, places: Places) -> npt.NDArray[np.int64]:
        """The numbers of the block's documents that hold places."""
        return np.searchsorted(self.documents[:, 0], places, "right") - 1


class TextIndex:
    """A finished index and the mixture whose documents it finds."""

    def __init__(self, folder: Path, mixture: Path) -> None:
        self.folder = folder
        self.paths = sorted(mixture.glob(TRAIN))
        self.blocks = [Block(folder, number) for number in range(len(list(folder.glob("words-*.npy"))))]
        self._groups: dict[int, list[int]] = {}

    @property
    def size(self) -> dict[str, int]:
        """Documents and words of the index."""
        numbers = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))["counts"]["numbers"]
        return {name: numbers.get(name, 0) for name in ("documents", "words", "blocks")}

    def runs(self, text: str, least: int = 1) -> list[Run]:
        """The longest shared runs of a text, block by block, without those that lie inside a longer one."""
        hashes = find_words(text).hashes
        found: list[Run] = []
        for block in self.blocks:
            ranks = block.ranks(hashes)
            reached = 0
            for start in range(len(ranks)):
                length, places = block.find(ranks, start)
                if length >= least and start + length > reached:
                    found.append(Run(start, length, block.number, places))
                    reached = start + length
        return found

    def occurrences(self, phrase: str) -> list[tuple[int, Places]]:
        """Every place that holds a phrase whole, by block."""
        hashes = find_words(phrase).hashes
        found: list[tuple[int, Places]] = []
        for block in self.blocks:
            length, places = block.find(block.ranks(hashes), 0) if len(hashes) else (0, np.zeros(0, np.int64))
            if length and length == len(hashes):
                found.append((block.number, places))
        return found

    def row(self, block: int, document: int) -> dict[str, Any]:
        """A document's row of the mixture, with its file's name."""
        import pyarrow.parquet as pq

        _, number, row = self.blocks[block].documents[document].tolist()
        path = self.paths[number]
        with pq.ParquetFile(path) as file:
            if number not in self._groups:
                sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
                self._groups[number] = np.cumsum([0, *sizes]).tolist()
            group = bisect_right(self._groups[number], row) - 1
            at = self._groups[number][group]
            for batch in file.iter_batches(batch_size=ROWS_READ, row_groups=[group]):  # no further than the row
                if row < at + batch.num_rows:
                    return batch.slice(row - at, 1).to_pylist()[0] | {"file": path.name}
                at += batch.num_rows
        raise FaultError(f"{path} has no row {row}", "remove the folder trace of the data folder: it is built again")

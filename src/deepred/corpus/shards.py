"""Token files: the mixture as flat arrays of token ids, ready to be memory-mapped.

In: the mixture and the tokenizer. Out: for every part ``SPLIT-SOURCE-PART-NNN.bin`` (uint16 or uint32, little-endian)
and ``.npy`` (int64: where each document begins, and the end), every document followed by the end-of-text token, and
``meta.json`` that lists them. Nothing is shuffled here: the order of samples is a function, see ``train/schedule.py``.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepred.base.errors import FaultError, UserError
from deepred.base.files import write_json
from deepred.corpus.tokenizer import end_of_text, load_encoder
from deepred.run.config import Shards
from deepred.run.stage import Counts, Work

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

BATCH_CHARACTERS = 500_000
"""Text encoded at once: little enough for its tokens, which the library keeps as words, to stay in the cache."""
BATCH_DOCUMENTS = 64
CHECK_CHARACTERS = 4_000_000
"""Text from one document that is decoded again and compared to the next."""
BYTES_A_TOKEN = 4
"""Text per token, roughly, by which parts are measured before they are encoded; a file's limit is kept exactly."""
PARTS, PART_BYTES = 64, 4_000_000
"""A small corpus is cut into about so many parts, for all workers to have some, of at least so many bytes of text."""
MAX_ALTERED = 0.01
"""Share of checked documents that an adopted tokenizer may give back altered (in its spaces) and not be refused."""
META = "meta.json"


@dataclass(frozen=True)
class Rows:
    """A row group of a Parquet file of the mixture."""

    path: Path
    group: int


@dataclass(frozen=True)
class Part:
    """Consecutive row groups of one split and source on their way to token files."""

    name: str
    rows: tuple[Rows, ...]
    tokenizer: Path
    tokens_per_file: int


def write_shards(*, mixture: Path, tokenizer: Path, config: Shards, out: Path, work: Work) -> Counts:
    """Token files and ``meta.json`` in ``out``; counts hold tokens, documents and bytes by split and source."""
    paths = [path for split in ("train", "validation") for path in sorted(mixture.glob(f"{split}-*.parquet"))]
    if not paths:
        raise UserError(f"{mixture} holds no train-*.parquet", "see `deepred show` of the mixture")
    parts = find_parts(paths, tokenizer, config.tokens_per_file)
    counts = work.map_shards(write_part, [(part.name, part) for part in parts], out)
    altered, checked = counts.numbers["altered"], counts.numbers["checked"]
    if altered > MAX_ALTERED * checked:
        raise FaultError(
            f"the tokenizer does not give {altered} of {checked} documents back unchanged", "use a byte-level BPE"
        )
    _write_meta(out, tokenizer, counts)
    return counts


def find_parts(paths: Sequence[Path], tokenizer: Path, tokens_per_file: int) -> list[Part]:
    """The files' row groups as parts that hold about a file of tokens each, or less where the corpus is small.

    A full Wikipedia's thousands of small files become some dozens of token files, and a single large file is shared by
    all workers; where a part begins depends on the files alone.
    """
    import pyarrow.parquet as pq

    sized: list[tuple[str, Rows, int]] = []
    for path in paths:
        split, source, *_ = path.stem.split("-")
        metadata = pq.read_metadata(path)
        column = metadata.schema.to_arrow_schema().names.index("text")
        sized += [
            (f"{split}-{source}", Rows(path, group), metadata.row_group(group).column(column).total_uncompressed_size)
            for group in range(metadata.num_row_groups)
        ]
    limit = min(BYTES_A_TOKEN * tokens_per_file, max(PART_BYTES, sum(size for *_, size in sized) // PARTS))
    parts: list[Part] = []
    for stem, members in itertools.groupby(sized, key=lambda row: row[0]):
        gathered: list[list[Rows]] = [[]]
        size = 0
        for _, rows, more in members:
            if gathered[-1] and size + more > limit:
                gathered.append([])
                size = 0
            gathered[-1].append(rows)
            size += more
        parts += [
            Part(f"{stem}-{number:05d}", tuple(rows), tokenizer, tokens_per_file)
            for number, rows in enumerate(gathered)
        ]
    return parts


def token_type(vocabulary: int) -> np.dtype[Any]:
    """The smallest type that holds every id: ``token_type(2048)`` is little-endian uint16."""
    return np.dtype("<u2" if vocabulary <= 1 << 16 else "<u4")


def write_part(part: Part, folder: Path) -> Counts:
    """The token files of one part."""
    encoder = _encoder(part.tokenizer)
    end = encoder.token_to_id(end_of_text(part.tokenizer))
    if end is None:
        raise UserError(f"{part.tokenizer}: the eos_token is not in the vocabulary")
    split = part.name.partition("-")[0]
    files = TokenFiles(folder, part.name, token_type(encoder.get_vocab_size()), part.tokens_per_file)
    counts = Counts()
    unchecked = CHECK_CHARACTERS
    for rows in _batches(part.rows):
        encoded = encoder.encode_batch_fast([row["text"] for row in rows], add_special_tokens=False)
        if unchecked >= CHECK_CHARACTERS:
            _check(encoder, rows[0]["text"], encoded[0].ids, counts)
            unchecked = 0
        unchecked += sum(len(row["text"]) for row in rows)
        for row, encoding in zip(rows, encoded, strict=True):
            files.add(encoding.ids, end)
            counts.add("documents")
            counts.tally(f"{split}_tokens", row["source"], len(encoding.ids) + 1)
            counts.tally(f"{split}_documents", row["source"])
            size = len(row["text"].encode())
            counts.tally(f"{split}_bytes", row["source"], size)
            counts.add("bytes", size)
            counts.add("tokens", len(encoding.ids) + 1)
    files.close()
    counts.notes[f"files:{part.name}"] = files.written
    return counts


@lru_cache(maxsize=1)
def _encoder(tokenizer: Path) -> Encoder:
    """The tokenizer, kept for a worker's next parts: it remembers the words that it has met."""
    encoder = load_encoder(tokenizer)
    encoder.encode_special_tokens = True  # "<|endoftext|>" inside a text is text
    return encoder


def _check(encoder: Encoder, text: str, ids: list[int], counts: Counts) -> None:
    counts.add("checked")
    if encoder.decode(ids, skip_special_tokens=False) != text:
        counts.add("altered")


def _batches(groups: Sequence[Rows]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    characters = 0
    for row in _read(groups):
        rows.append(row)
        characters += len(row["text"])
        if characters >= BATCH_CHARACTERS or len(rows) >= BATCH_DOCUMENTS:
            yield rows
            rows, characters = [], 0
    if rows:
        yield rows


def _read(groups: Sequence[Rows]) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for path, members in itertools.groupby(groups, key=lambda rows: rows.path):
        with pq.ParquetFile(path) as file:
            wanted = [rows.group for rows in members]
            for batch in file.iter_batches(batch_size=256, row_groups=wanted, columns=["source", "text"]):
                yield from batch.to_pylist()


class TokenFiles:
    """Appends documents to ``STEM-000.bin`` and begins a new file where the next document would pass the limit."""

    def __init__(self, folder: Path, stem: str, dtype: np.dtype[Any], limit: int) -> None:
        self._folder, self._stem, self._dtype, self._limit = folder, stem, dtype, limit
        self.written: list[dict[str, Any]] = []
        self._begin()

    def _begin(self) -> None:
        self._name = f"{self._stem}-{len(self.written):03d}"
        self._file = (self._folder / f"{self._name}.bin").open("wb")
        self._hash = hashlib.sha256()
        self._ends = [0]

    def add(self, ids: list[int], end: int) -> None:
        """Append one document and the token that ends it."""
        if len(self._ends) > 1 and self._ends[-1] + len(ids) + 1 > self._limit:
            self._finish()
            self._begin()
        tokens = np.array([*ids, end], self._dtype).tobytes()
        self._file.write(tokens)
        self._hash.update(tokens)
        self._ends.append(self._ends[-1] + len(ids) + 1)

    def _finish(self) -> None:
        self._file.close()
        np.save(self._folder / f"{self._name}.npy", np.array(self._ends, np.int64))
        self.written.append(
            {
                "name": self._name,
                "documents": len(self._ends) - 1,
                "tokens": self._ends[-1],
                "sha256": self._hash.hexdigest(),
            }
        )

    def close(self) -> None:
        """Finish the last file."""
        self._finish()


def _write_meta(out: Path, tokenizer: Path, counts: Counts) -> None:
    """``meta.json``: the files in order, totals by split and source, and what the ids mean."""
    encoder = load_encoder(tokenizer)
    size = encoder.get_vocab_size()
    splits: dict[str, Any] = {}
    for split in ("train", "validation"):
        files = [file for name in _notes(counts, split) for file in counts.notes.pop(name)]
        totals = {kind: counts.tallies.get(f"{split}_{kind}", Counter()) for kind in ("tokens", "documents", "bytes")}
        splits[split] = {"files": files, **{kind: sum(names.values()) for kind, names in totals.items()}}
        splits[split]["sources"] = {
            source: {kind: totals[kind][source] for kind in totals} for source in sorted(totals["tokens"])
        }
    meta = {
        "dtype": token_type(size).name,
        "vocabulary": size,
        "end_of_text": encoder.token_to_id(end_of_text(tokenizer)),
        "tokenizer": hashlib.sha256((tokenizer / "tokenizer.json").read_bytes()).hexdigest(),
        **splits,
    }
    write_json(out / META, meta)
    total, size_in_bytes = counts.numbers["tokens"], counts.numbers["bytes"]
    counts.notes["bytes_per_token"] = round(size_in_bytes / total, 3) if total else 0.0
    for split in ("train", "validation"):
        counts.notes[f"{split}_tokens"] = splits[split]["tokens"]


def _notes(counts: Counts, split: str) -> list[str]:
    return [name for name in sorted(counts.notes) if name.startswith(f"files:{split}-")]

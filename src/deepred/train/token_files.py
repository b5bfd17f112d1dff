"""Training and validation tokens: token files, memory-mapped, read as one stream of documents.

In: the folder of ``shards``. Out: the stream, its documents, and its sequences (``packing.py``) as int64 arrays of
(sequences, length + 1), inputs and targets in one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepred.base.errors import FaultError, UserError
from deepred.train.packing import BestFit, Contiguous, Sequences, Span

Packing = Literal["contiguous", "best-fit"]


class TokenStream:
    """Several token files as one sequence of tokens."""

    def __init__(self, folder: Path, files: Sequence[dict[str, Any]], dtype: str) -> None:
        self._folder = folder
        self._names = [file["name"] for file in files]
        self._maps: list[NDArray[Any]] = []
        for file in files:
            path = folder / f"{file['name']}.bin"
            try:
                tokens = np.memmap(path, np.dtype(dtype).newbyteorder("<"), "r")
            except (OSError, ValueError) as error:
                raise FaultError(f"{path} cannot be read: {error}", "delete the stage's folder and run again") from None
            if len(tokens) != file["tokens"]:
                raise FaultError(
                    f"{path} holds {len(tokens):,} tokens, not {file['tokens']:,}",
                    "delete the stage's folder and run again",
                )
            self._maps.append(tokens)
        self._starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens in self._maps])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, start: int, count: int) -> NDArray[np.int64]:
        """``count`` tokens from ``start``, across files."""
        found = np.empty(count, np.int64)
        at = 0
        part = int(np.searchsorted(self._starts, start, "right")) - 1
        while at < count:
            first = start + at - int(self._starts[part])
            piece = self._maps[part][first : first + count - at]
            found[at : at + len(piece)] = piece
            at += len(piece)
            part += 1
        return found

    def documents(self) -> Iterator[Span]:
        """Every document in order, by the offsets beside the token files."""
        for name, begins in zip(self._names, self._starts, strict=False):
            offsets = np.load(self._folder / f"{name}.npy", allow_pickle=False)
            yield from zip((offsets[:-1] + begins).tolist(), np.diff(offsets).tolist(), strict=True)

    def sequences(self, length: int, packing: Packing = "contiguous") -> Sequences:
        """Its sequences of a length, each with the target of its last token."""
        return Contiguous(self, length) if packing == "contiguous" else BestFit(self, length, self.documents())


class Tokens:
    """A ``shards`` folder: its training stream, its validation streams by source, and what its ids mean."""

    def __init__(self, folder: Path) -> None:
        self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        dtype = self.meta["dtype"]
        self.train = TokenStream(folder, self.meta["train"]["files"], dtype)
        by_source: dict[str, list[dict[str, Any]]] = {}
        for file in self.meta["validation"]["files"]:
            by_source.setdefault(file["name"].split("-")[1], []).append(file)
        self.validation = {source: TokenStream(folder, files, dtype) for source, files in by_source.items()}

    def fingerprint(self) -> str:
        """A hash of every token and of the tokenizer (through their hashes), by which a resumed run knows its data."""
        known = {key: self.meta[key] for key in ("tokenizer", "vocabulary", "train", "validation")}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def bytes_per_token(self, source: str) -> float:
        """UTF-8 bytes of a source's validation text over its tokens, for bits per byte."""
        totals = self.meta["validation"]["sources"][source]
        return totals["bytes"] / max(totals["tokens"], 1)

    def sequences(self, length: int, packing: Packing) -> Sequences:
        """The training sequences; too few tokens for one are an error."""
        found = self.train.sequences(length, packing)
        if not len(found):
            raise UserError(
                f"the corpus holds {len(self.train):,} training tokens, fewer than a sequence of {length}",
                "use a larger corpus or a shorter pretrain.sequence",
            )
        return found
